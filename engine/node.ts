/** `bark-webgpu/engine` in Node and Deno: the adapters of the machine. */
import "./node/index.ts";

export * from "./index.ts";
