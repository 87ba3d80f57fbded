import type { BarkGenerateKwargs } from "../../bark/generate/options/generate_arguments.ts";
import { BarkModel } from "../../bark/model.ts";
import type { FixtureRun } from "./fixture.ts";
import { fixtureCheckpoint } from "./files/fixture_checkpoint.ts";
import { sharedGpu } from "./gpu.ts";
import { readFixtureJson } from "./runtime.ts";

/** A call with random keywords on a tiny checkpoint, and what transformers made of it (spec/fixtures/generate). */
export interface KeywordCase {
  seed: string;
  input_ids: number[][];
  attention_mask: number[][];
  history: FixtureRun["history"] | null;
  kwargs: Partial<BarkGenerateKwargs>;
  /** What transformers raised. */
  error?: string;
  semantic: number[][];
  coarse: number[][];
  fine: number[][][];
}

export async function readKeywordCases(checkpoint: string): Promise<KeywordCase[]> {
  return await readFixtureJson<KeywordCase[]>(`generate/${checkpoint}/cases.json`);
}

export async function keywordModel(checkpoint: string): Promise<BarkModel> {
  const gpu = await sharedGpu();
  return await BarkModel.from_pretrained(await fixtureCheckpoint(`generate/${checkpoint}`), {
    gpu,
    onNotice: () => undefined,
  });
}
