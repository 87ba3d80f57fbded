/** `bark-webgpu/engine` in a browser page: `navigator.gpu`. */
import "./web/index.ts";

export * from "./index.ts";
