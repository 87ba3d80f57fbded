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
  const installing = registration?.installing ?? registration?.waiting ?? undefined;
  // Without one on its way, this page has what it will get: a reload by force leaves it without.
  if (workers === undefined || workers.controller !== null || installing === undefined) return;
  await new Promise<void>((resolve) => {
    workers.addEventListener("controllerchange", () => resolve(), { once: true });
    installing.addEventListener("statechange", () => installing.state === "redundant" && resolve());
  });
}
