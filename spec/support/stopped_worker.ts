/**
 * Speaks in a worker, stops it in the middle of that and terminates it. Run as a process of its own: a worker that ends
 * while Dawn works for it ends the process.
 */
import { isMainThread, parentPort, SHARE_ENV, Worker } from "node:worker_threads";
import { BarkModel } from "../../bark/model.ts";
import { stop } from "../../engine/gpu.ts";
import { openRepositoryStore } from "./runtime.ts";

if (isMainThread) lead();
else await speak();

function lead(): void {
  // A worker does not inherit the loader that reads TypeScript.
  const [loader, self] = [import.meta.resolve("tsx/esm/api"), import.meta.url].map((url) => JSON.stringify(url));
  const script = `import { register } from ${loader}; register(); await import(${self});`;
  // SwiftShader is found by a variable, which a worker's own copy of the environment would not pass on.
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), { env: SHARE_ENV });
  worker.on("message", (message: string) => {
    console.log(message);
    if (message === "speaking") worker.postMessage("stop");
    if (message === "stopped") void worker.terminate().then(() => console.log("terminated"));
  });
}

async function speak(): Promise<void> {
  const tell = (message: string): void => parentPort!.postMessage(message);
  const model = await BarkModel.from_pretrained(await openRepositoryStore("models/nano"));
  parentPort!.once("message", () => void stop().then(() => tell("stopped")));
  let isTold = false;
  const on_progress = (): void => {
    if (!isTold) tell("speaking");
    isTold = true;
  };
  const input_ids = [Array.from({ length: 64 }, (_, i) => 30 + i)];
  await model.generate({ input_ids, seed: 1, on_progress }).then(
    () => tell("spoke"),
    (error: Error) => tell(`ended: ${error.message}`),
  );
}
