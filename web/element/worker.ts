import type { BarkWorkerOptions } from "../../speech/worker/bark_worker.ts";
import { workerUrl } from "../addresses.ts";

/** How the element runs a model. In the build for bundlers there is nothing: BarkWorker has its own ways. */
export const workerOptions: Pick<BarkWorkerOptions, "worker" | "server"> = {
  worker: () => workerAt(workerUrl),
  server: () => import("../worker.ts"),
};

/**
 * Another origin's script is refused as a worker, so from a CDN a Blob imports it: then a policy has to allow
 * `worker-src blob:`.
 */
function workerAt(url: URL): Worker {
  const options = { type: "module", name: "bark-webgpu" } as const;
  if (url.origin === location.origin) return new Worker(url, options);
  const blob = new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(blob), options);
}
