import type { Gpu } from "../../engine/gpu.ts";

/** The adapter on which figures were measured. */
export interface MeasuredAdapter {
  readonly adapter: string;
  readonly software: boolean;
  readonly features: readonly string[];
}

export function describeAdapter(gpu: Gpu): MeasuredAdapter {
  return { adapter: gpu.adapterName, software: gpu.isSoftware, features: [...gpu.features].sort() };
}
