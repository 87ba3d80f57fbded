/** `bark-webgpu` in Node and Deno: files and the adapters of the machine. */
import "../engine/node/index.ts";

export * from "./index.ts";
