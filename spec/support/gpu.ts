import "./runtime.ts";
import { openGpu, type Gpu } from "../../engine/gpu.ts";

let shared: Promise<Gpu> | undefined;

/** One device for all specs of a process: opening one costs more than most tests. */
export function sharedGpu(): Promise<Gpu> {
  shared ??= openGpu();
  return shared;
}
