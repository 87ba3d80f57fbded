let ready: Promise<void> | undefined;

/**
 * Lets the pages and the small checkpoint work without a network, once they were fetched.
 * @returns when what is fetched is kept, or it is known that it cannot be: a private window may forbid it.
 */
export async function registerServiceWorker(): Promise<void> {
  ready ??= register();
  await ready;
}

async function register(): Promise<void> {
  const workers = (navigator as { serviceWorker?: ServiceWorkerContainer }).serviceWorker;
  const address = new URL("./service_worker.js", document.baseURI);
  const registration = await workers?.register(address).catch(() => undefined);
  const found = registration?.installing ?? registration?.waiting ?? registration?.active ?? undefined;
  if (workers === undefined || workers.controller !== null || found === undefined) return;
  // After a reload by force there is one that does not serve this page, and will not.
  if (found.state === "activated") return;
  await new Promise<void>((resolve) => {
    workers.addEventListener("controllerchange", () => resolve(), { once: true });
    found.addEventListener("statechange", () => found.state === "redundant" && resolve());
  });
}
