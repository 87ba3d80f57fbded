import { cpus } from "node:os";
import type { Gpu } from "../../engine/gpu.ts";
import { describeAdapter, type MeasuredAdapter } from "./adapter.ts";

/** Where figures were measured. Nothing here names the host or its owner. */
export interface Machine extends MeasuredAdapter {
  readonly processor: string;
  readonly cores: number;
  readonly runtime: string;
}

export function describeProcessor(): Pick<Machine, "processor" | "cores"> {
  const all = cpus();
  return { processor: `${all[0]?.model.trim() ?? "unknown processor"} (${all.length} cores)`, cores: all.length };
}

/** This process's. */
export function runtimeName(): string {
  const { deno, node } = process.versions;
  return deno === undefined ? `Node ${node}` : `Deno ${deno}`;
}

export function describeMachine(gpu: Gpu): Machine {
  return { ...describeProcessor(), runtime: runtimeName(), ...describeAdapter(gpu) };
}
