/** `bark-webgpu` in a browser page: `fetch` and `navigator.gpu`. */
import "../bark/web.ts";

export * from "./index.ts";
