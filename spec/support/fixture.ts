import { expect } from "chai";
import type { BarkModel } from "../../bark/model.ts";
import type { BarkGenerateKwargs } from "../../bark/generate/options/generate_arguments.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import type { BarkInputs } from "../../bark/text/processor_options.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { expectClose } from "./close.ts";
import { readFixture, readFixtureJson } from "./runtime.ts";

/** Audio and logits of f32 arithmetic in another order agree with those of torch to 1e-5. */
export const tolerance = { absolute: 1e-4 };

/** A `.f32` file beside the `runs.json` that names it. */
export interface FloatsFile {
  file: string;
  shape: number[];
}

/** A greedy run of transformers (spec/fixtures/README.md). */
export interface FixtureRun {
  name: string;
  text?: string;
  voice?: string | null;
  history?: Record<keyof HistoryPrompt, number[] | number[][]>;
  input_ids: number[][];
  attention_mask: number[][] | null;
  kwargs: Pick<BarkGenerateKwargs, "semantic_max_new_tokens" | "min_eos_p" | "return_output_lengths">;
  semantic: number[][];
  coarse: number[][];
  fine: number[][][];
  output_lengths: number[] | null;
  audio: FloatsFile;
}

/** Codes [codebooks][frames] and what the codec makes of them. */
export interface CodecOutput {
  codes: number[][];
  audio: FloatsFile;
}

export interface Fixture {
  runs: FixtureRun[];
}

export async function readRuns<T extends Fixture = Fixture>(folder: string): Promise<T> {
  return await readFixtureJson<T>(`${folder}/runs.json`);
}

export async function readFloats(folder: string, { file }: FloatsFile): Promise<Float32Array> {
  return new Float32Array((await readFixture(`${folder}/${file}`)).buffer);
}

/** The keywords of a run; `given` (what a processor made of its text or voice) replaces those of the fixture. */
export function generateKwargs(run: FixtureRun, given: Partial<BarkGenerateKwargs> = {}): BarkGenerateKwargs {
  return {
    input_ids: run.input_ids,
    attention_mask: run.attention_mask,
    history_prompt: run.history === undefined ? null : historyPrompt(run.history),
    do_sample: false,
    temperature: null,
    fine_temperature: null,
    ...run.kwargs,
    ...given,
  };
}

export function historyPrompt(history: NonNullable<FixtureRun["history"]>): HistoryPrompt {
  const array = (values: number[] | number[][]): NdArray => {
    const shape = Array.isArray(values[0]) ? [values.length, values[0].length] : [values.length];
    return new NdArray(Int32Array.from(values.flat()), shape);
  };
  return {
    semantic_prompt: array(history.semantic_prompt),
    coarse_prompt: array(history.coarse_prompt),
    fine_prompt: array(history.fine_prompt),
  };
}

/** Generates a run and fails unless every token is transformers' own and the audio within {@link tolerance} of it. */
export async function expectParity(
  model: BarkModel,
  folder: string,
  run: FixtureRun,
  given: Partial<BarkGenerateKwargs> = {},
): Promise<void> {
  const output = await model.generate_output(generateKwargs(run, given));
  expectTokens(output.semantic, run.semantic, "semantic");
  expectTokens(output.coarse, run.coarse, "coarse");
  expect(output.fine.shape, "fine").to.deep.equal([run.fine.length, run.fine[0].length, run.fine[0][0].length]);
  expectTokens((output.fine.tolist() as number[][][]).flat(), run.fine.flat(), "fine");
  if (run.output_lengths !== null) expect(output.output_lengths).to.deep.equal(run.output_lengths);
  expect(output.audio.shape).to.deep.equal(run.audio.shape);
  expectClose(output.audio.data, await readFloats(folder, run.audio), tolerance, "audio");
}

/** {@link expectParity} from the run's text and the name of its voice on. */
export async function expectSpokenParity(
  model: BarkModel,
  processor: BarkProcessor,
  folder: string,
  run: FixtureRun,
): Promise<void> {
  await expectParity(model, folder, run, await inputsOf(run, model, processor));
}

/** What the processor makes of a run's text and voice; fails unless it has transformers' ids and mask. */
export async function inputsOf(run: FixtureRun, model: BarkModel, processor: BarkProcessor): Promise<BarkInputs> {
  const { max_input_semantic_length: max_length } = model.generation_config.semantic_config;
  const inputs = await processor(run.text!, { max_length, voice_preset: run.voice! });
  expect(inputs.input_ids.tolist(), "input_ids").to.deep.equal(run.input_ids);
  expect(inputs.attention_mask?.tolist(), "attention_mask").to.deep.equal(run.attention_mask);
  return inputs;
}

/** Fails with the first token that differs: chai's difference of such long lists says nothing. */
export function expectTokens(
  actual: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
  what: string,
): void {
  const lengths = (rows: readonly (readonly number[])[]): number[] => rows.map((row) => row.length);
  expect(lengths(actual), `${what}: tokens of each row`).to.deep.equal(lengths(expected));
  for (const [row, tokens] of expected.entries()) {
    const wrong = tokens.findIndex((token, i) => actual[row][i] !== token);
    if (wrong >= 0)
      throw new Error(`${what}: token ${wrong} of row ${row} is ${actual[row][wrong]}, expected ${tokens[wrong]}`);
  }
}
