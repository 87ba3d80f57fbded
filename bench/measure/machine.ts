import { cpus } from "node:os";
import type { Gpu } from "../../engine/gpu.ts";

/** Where figures were measured. Nothing here names the host or its owner. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly runtime: string;
  readonly adapter: string;
  readonly software: boolean;
  readonly features: readonly string[];
}

export function describeProcessor(): Pick<Machine, "processor" | "cores"> {
  const all = cpus();
  return { processor: `${all[0]?.model.trim() ?? "unknown processor"} (${all.length} cores)`, cores: all.length };
}

export function describeMachine(gpu: Gpu): Machine {
  const { deno, node } = process.versions;
  return {
    ...describeProcessor(),
    runtime: deno === undefined ? `Node ${node}` : `Deno ${deno}`,
    adapter: gpu.adapterName,
    software: gpu.isSoftware,
    features: [...gpu.features].sort(),
  };
}
