import type { StartPeer } from "../../kernels/process/work.ts";
import { jaxPeer } from "./jaxjs.ts";
import type { Libraries } from "./libraries.ts";
import { ortWebPeer } from "./ort_web.ts";
import { tfjsPeer } from "./tfjs.ts";

const engines = { "onnxruntime-web": ortWebPeer, "jax-js": jaxPeer, tfjs: tfjsPeer };

export const engineNames = Object.keys(engines);

/** Starts engines by name, each on a device that it opens itself. */
export function startEngine(libraries: Libraries): StartPeer {
  return async (name) => await engines[name as keyof typeof engines](libraries);
}
