/**
 * Lets the site work without a network: its own files are stored when it is installed, those of the small checkpoint when
 * they are fetched. Models of the hub are kept by the library.
 */

/** Written by the build: files of the site, and a name that changes with any of them. */
declare const siteFiles: readonly string[];
declare const siteVersion: string;

// TypeScript's library of workers clashes with that of pages.
interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Waiting {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
declare const clients: { claim(): Promise<void> };
declare const registration: { readonly scope: string };

const cacheName = `bark-site-${siteVersion}`;
const checkpoint = "nano/";

addEventListener("install", (event) => {
  (event as Waiting).waitUntil(caches.open(cacheName).then((cache) => cache.addAll([...siteFiles])));
});

addEventListener("activate", (event) => {
  (event as Waiting).waitUntil(Promise.all([deleteOld(), clients.claim()]));
});

addEventListener("fetch", (event) => {
  const { request } = event as Fetching;
  if (request.method === "GET" && request.url.startsWith(registration.scope))
    (event as Fetching).respondWith(answer(event as Fetching));
});

async function deleteOld(): Promise<void> {
  for (const name of await caches.keys())
    if (name.startsWith("bark-site-") && name !== cacheName) await caches.delete(name);
}

async function answer(event: Fetching): Promise<Response> {
  const { request } = event;
  const path = request.url.slice(registration.scope.length);
  if (path.startsWith(checkpoint)) return await answerPart(event);
  // All files of one version, or a page would mix two after an update.
  const cache = await caches.open(cacheName);
  return (await cache.match(request, { ignoreSearch: true })) ?? (await fetch(request));
}

/** A part of a file of the checkpoint. A cache holds no part of an answer, so each is stored as a whole one. */
async function answerPart(event: Fetching): Promise<Response> {
  const { request } = event;
  const range = request.headers.get("range");
  const cache = await caches.open(cacheName);
  const key = range === null ? request.url : `${request.url}?range=${encodeURIComponent(range)}`;
  const stored = await cache.match(key);
  if (stored !== undefined) return range === null ? stored : partOf(stored);
  const found = await fetch(request);
  if (!found.ok) return found;
  const copy = new Response(found.clone().body, { headers: found.headers });
  // A disk that is full costs the saving, not the speech.
  event.waitUntil(cache.put(found.status === 206 ? key : request.url, copy).catch(() => undefined));
  return found;
}

function partOf({ body, headers }: Response): Response {
  return new Response(body, { status: headers.has("content-range") ? 206 : 200, headers });
}
