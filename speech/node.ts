/** `bark-webgpu` in Node and Deno: files and the adapters of the machine. */
import "../bark/node.ts";

export * from "./index.ts";
