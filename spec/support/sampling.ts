import type { SampleOptions } from "../../kernels/sample/sample.ts";
import { readFixtureJson } from "./runtime.ts";

/** What the logits processors of transformers leave of a row (spec/fixtures/sampling). */
export interface SamplingCase {
  name: string;
  logits: number[];
  options: Omit<SampleOptions, "greedy">;
  kept: number[];
}

export async function readSamplingCases(): Promise<SamplingCase[]> {
  return await readFixtureJson<SamplingCase[]>("sampling/cases.json");
}
