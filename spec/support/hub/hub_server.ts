import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { serve, type Loopback } from "../loopback.ts";
import { answerStorageUpload, answerUpload } from "./hub_uploads.ts";
import { noUploads, sha256, type Asked, type LoopbackHub, type ServedRepository } from "./served.ts";

export { sha256, type Asked, type Intercept, type LoopbackHub, type ServedRepository } from "./served.ts";

export const firstCommit = "1".repeat(40);
export const secondCommit = "2".repeat(40);

/**
 * A hub on this machine that speaks the protocol of huggingface.co as huggingface_hub 2.4 uses it: small files from the
 * hub itself, large ones by a redirection to a storage server of another origin, where HEAD is not allowed.
 */
export async function serveHub(repositories: Record<string, ServedRepository>): Promise<LoopbackHub> {
  const servers: Loopback[] = [];
  const hub: LoopbackHub = {
    url: "",
    repositories: new Map(Object.entries(repositories)),
    asked: [],
    intercept: undefined,
    uploads: noUploads(),
    close: async () => {
      for (const server of servers) await server.close();
    },
  };
  const answering =
    (server: Asked["server"], answer: (request: IncomingMessage, response: ServerResponse) => void) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      const { method = "", url = "", headers } = request;
      allowPages(response);
      if (method === "OPTIONS") return void response.writeHead(204).end();
      hub.asked.push({ server, method, url, range: headers.range, authorization: headers.authorization });
      if (hub.intercept?.(request, response, server) !== true) answer(request, response);
    };
  const storage = await serve(answering("storage", (request, response) => answerStorage(hub, request, response)));
  const front = await serve(answering("hub", (request, response) => answerHub(hub, storage.url, request, response)));
  servers.push(storage, front);
  hub.url = front.url;
  return hub;
}

/** The files of a folder as a repository with one commit, which is that of `main`. */
export async function repositoryOf(folder: string): Promise<ServedRepository> {
  const files: Record<string, Uint8Array> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files[path.relative(folder, file).replaceAll(path.sep, "/")] = await readFile(file);
  }
  return { commits: { [firstCommit]: files }, refs: { main: firstCommit } };
}

/** git's hash of a file with this content. */
export function gitHash(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

function allowPages(response: ServerResponse): void {
  response.setHeader("Access-Control-Allow-Origin", "*");
  response.setHeader("Access-Control-Allow-Headers", "Authorization, Range");
  response.setHeader("Access-Control-Expose-Headers", "X-Repo-Commit, X-Error-Code, ETag, Content-Range");
}

function answerHub(hub: LoopbackHub, storage: string, request: IncomingMessage, response: ServerResponse): void {
  if (answerUpload(hub, storage, request, response)) return;
  const refuse = (status: number, code: string, headers = {}): void =>
    void response.writeHead(status, { "X-Error-Code": code, ...headers }).end();
  const [, id, revision, file] = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.*)$/.exec(request.url ?? "") ?? [];
  const repository = hub.repositories.get(id);
  if (repository === undefined) return refuse(401, "RepoNotFound");
  if (repository.token !== undefined && request.headers.authorization !== `Bearer ${repository.token}`)
    return refuse(request.headers.authorization === undefined ? 401 : 403, "GatedRepo");
  const name = decodeURIComponent(revision);
  const commit = repository.refs[name] ?? name;
  if (!Object.hasOwn(repository.commits, commit)) return refuse(404, "RevisionNotFound");
  const files = repository.commits[commit];
  const filePath = decodeURIComponent(file);
  if (!Object.hasOwn(files, filePath)) return refuse(404, "EntryNotFound", { "X-Repo-Commit": commit });
  const content = files[filePath];
  response.setHeader("X-Repo-Commit", commit);
  const isLarge = repository.isLarge ?? ((file: string) => /\.(safetensors|bin)$/.test(file));
  if (!isLarge(filePath)) return sendFile(request, response, content, gitHash(content));
  const etag = sha256(content);
  response.writeHead(302, {
    Location: `${storage}/${etag}?signature=x`,
    "X-Linked-Etag": `"${etag}"`,
    "X-Linked-Size": content.length,
  });
  response.end();
}

function answerStorage(hub: LoopbackHub, request: IncomingMessage, response: ServerResponse): void {
  if (answerStorageUpload(hub, request, response)) return;
  const etag = /^\/([0-9a-f]{64})\?signature=x$/.exec(request.url ?? "")?.[1];
  const contents = Array.from(hub.repositories.values()).flatMap(({ commits }) =>
    Object.values(commits).flatMap((files) => Object.values(files)),
  );
  const content = contents.find((bytes) => sha256(bytes) === etag);
  // A signed address allows GET alone, and storage servers refuse a request that is signed twice.
  if (content === undefined || request.method !== "GET" || request.headers.authorization !== undefined)
    return void response.writeHead(403).end();
  sendFile(request, response, content, `storage-${etag?.slice(0, 8)}`);
}

/** A file or the range that is asked for. */
export function sendFile(request: IncomingMessage, response: ServerResponse, body: Uint8Array, etag: string): void {
  response.setHeader("ETag", `"${etag}"`);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const first = range === null ? 0 : Number(range[1]);
  if (range !== null && first >= body.length)
    return void response.writeHead(416, { "Content-Range": `bytes */${body.length}` }).end();
  const last = range === null || range[2] === "" ? body.length - 1 : Math.min(Number(range[2]), body.length - 1);
  const part = body.subarray(first, last + 1);
  if (range !== null) response.setHeader("Content-Range", `bytes ${first}-${last}/${body.length}`);
  response.writeHead(range === null ? 200 : 206, { "Content-Length": part.length }).end(part);
}
