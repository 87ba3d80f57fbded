/** `bark-webgpu` in a browser page: `fetch` and `navigator.gpu`. */
import "../engine/web/index.ts";

export * from "./index.ts";
