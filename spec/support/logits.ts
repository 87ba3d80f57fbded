import type { CausalWeights, PrefillInput } from "../../bark/gpt/causal_weights.ts";
import { DecodeSession, type StepSampling } from "../../bark/gpt/decode_session.ts";
import type { FineWeights } from "../../bark/gpt/fine_weights.ts";
import type { BarkGenerationConfig } from "../../bark/config/generation_config.ts";
import { resultOf } from "../../engine/result_of.ts";
import { Scope } from "../../engine/scope.ts";
import type { BarkModel } from "../../bark/model.ts";
import { coarseRanges } from "../../bark/generate/coarse_plan.ts";
import { semanticInput, semanticRanges } from "../../bark/generate/semantic_plan.ts";
import { into } from "../../engine/program/recorder.ts";
import type { IdRange } from "../../kernels/sample/sample.ts";
import type { FixtureRun, FloatsFile } from "./fixture.ts";

/** Logits within the first window of a run without history, every `every`-th id. */
export interface StoredLogits extends FloatsFile {
  stage: "semantic" | "coarse" | "fine";
  /** Tokens after the prefill; of the fine model the codebook. */
  step: number;
  every: number;
}

/** What transformers kept of the fine model's 1024 positions. */
const finePositions = [0, 1, 149, 1023];

/** The logits that a stage of `model` has where {@link StoredLogits} says, in its order. */
export async function logitsAfter(model: BarkModel, run: FixtureRun, stored: StoredLogits): Promise<number[]> {
  const rows = await rowsOf[stored.stage](model, run, stored.step);
  return rows.flatMap((row) => Array.from(row).filter((_, id) => id % stored.every === 0));
}

const rowsOf: Record<
  StoredLogits["stage"],
  (model: BarkModel, run: FixtureRun, step: number) => Promise<Float32Array[]>
> = {
  semantic: ({ semantic, generation_config }, run, step) =>
    semantic.weights.use((weights) => semanticLogits(weights, generation_config, run, step)),
  coarse: ({ coarse_acoustics, generation_config }, run, step) =>
    coarse_acoustics.weights.use((weights) => coarseLogits(weights, generation_config, run, step)),
  fine: ({ fine_acoustics, generation_config }, run, codebook) =>
    fine_acoustics.weights.use((weights) => fineLogits(weights, generation_config, run, codebook)),
};

async function semanticLogits(
  model: CausalWeights,
  { semantic_config: config }: BarkGenerationConfig,
  run: FixtureRun,
  step: number,
): Promise<Float32Array[]> {
  const { text, history, infer } = semanticInput(run.input_ids, run.attention_mask, null, config);
  const embeddings = await model.gatherEmbeddings([...history[0], infer]);
  const texts = await model.gatherEmbeddings(text[0]);
  for (const [i, value] of texts.entries()) embeddings[i] += value;
  const ranges = semanticRanges(config, model.config.output_vocab_size) as [IdRange];
  return [await decodedLogits(model, { embeddings }, [ranges], step)];
}

async function coarseLogits(
  model: CausalWeights,
  generation_config: BarkGenerationConfig,
  run: FixtureRun,
  step: number,
): Promise<Float32Array[]> {
  const { semantic_config, coarse_acoustics_config: config } = generation_config;
  const { coarse_semantic_pad_token: pad, max_coarse_input_length: slots, coarse_infer_token: infer } = config;
  const window = Array.from({ length: slots }, (_, i) => run.semantic[0][i] ?? pad);
  const ids = window.map((id) => (id === semantic_config.eos_token_id ? pad : id));
  const ranges = coarseRanges(generation_config, model.config.output_vocab_size);
  return [
    await decodedLogits(
      model,
      { ids: [...ids, infer] },
      ranges.map((range) => [range]),
      step,
    ),
  ];
}

/** All logits after `step` greedy tokens that follow the prefill. */
async function decodedLogits(
  model: CausalWeights,
  input: PrefillInput,
  cycle: StepSampling["sample"]["ranges"][],
  step: number,
): Promise<Float32Array> {
  const session = new DecodeSession(model, {
    rows: 1,
    maxTokens: step + 1,
    sampling: cycle.map((ranges) => ({
      columns: [0, model.config.output_vocab_size],
      sample: { ranges, greedy: true },
    })),
  });
  try {
    await session.prefill([input]);
    await resultOf(session.decode(step + 1));
    return (await session.logits.read()) as Float32Array;
  } finally {
    session.dispose();
  }
}

async function fineLogits(
  model: FineWeights,
  generation_config: BarkGenerationConfig,
  run: FixtureRun,
  codebook: number,
): Promise<Float32Array[]> {
  const { codebook_size: pad, fine_acoustics_config, semantic_config } = generation_config;
  const { max_fine_input_length: positions, n_fine_codebooks: books } = fine_acoustics_config;
  const { output_vocab_size: vocabulary } = model.config;
  const codes = new Uint32Array(positions * books).fill(pad);
  for (const [i, id] of run.coarse[0].entries())
    codes[Math.floor(i / 2) * books + (i % 2)] = (id - semantic_config.semantic_vocab_size) % pad;
  return await Scope.during(model.gpu, async (scope) => {
    const window = {
      codes: scope.tensorFrom("u32", [positions, books], codes, "spec codes"),
      firstCode: 0,
      positions,
      firstPosition: 0,
    };
    const buffers = model.gpt.buffers(scope, positions, "spec");
    const logits = scope.tensor("f32", [positions, vocabulary], "spec logits");
    const program = scope.program("spec");
    model.recordPass(into(program), codebook, window, { buffers, last: buffers }, logits, vocabulary);
    await program.run();
    const values = (await logits.read()) as Float32Array;
    return finePositions.map((position) => values.subarray(position * vocabulary, (position + 1) * vocabulary));
  });
}
