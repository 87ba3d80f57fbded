/** `bark-webgpu` in Node and Deno: files and the adapters of the machine. */
import "../checkpoint/node/index.ts";
import "../engine/node/index.ts";

export * from "./index.ts";
