/** `bark-webgpu/worker`: a BarkTTS in a worker of a page, which BarkWorker talks to. */
import "../bark/web.ts";
import { BarkServer, type ServerPort } from "../speech/worker/bark_server.ts";

export { BarkServer };

// A page imports this file where workers have no WebGPU, and opens a server of its own. Its `postMessage` is another.
if (typeof document === "undefined") new BarkServer(globalThis as unknown as ServerPort);
