/** `bark-webgpu` in a browser page: `fetch` and `navigator.gpu`. */
import "../checkpoint/web/index.ts";
import "../engine/web/index.ts";

export * from "./index.ts";
