/**
 * How far f16 and q8 weights are from f32: `npm run check:agreement -- [nano] [small] [RUNG…]`. With names of the lab of matmul,
 * such as gemm_half: how far those products of many rows (prefill, the fine stage) are, with weights in f32.
 *
 * nano: six sentences, spoken greedily in each format. Printed are, for every stage, the share of tokens at which the
 * greatest score is the same when all tokens before are (teacher-forced), the error of the scores, and how many tokens a
 * free run has in common with that of f32 before the first that differs.
 * small: a synthetic checkpoint of the size of bark-small, of which a few tokens are generated; its weights are made up,
 * so its scores lie closer together than those of a trained one. Not part of the tests.
 */
import "../checkpoint/node/index.ts";
import "../engine/node/index.ts";
import { generateCoarse } from "../bark/generate/coarse_stage.ts";
import { routeGenerateKwargs } from "../bark/generate/options/generate_options.ts";
import { BarkModel } from "../bark/model.ts";
import { BarkProcessor } from "../bark/text/processor.ts";
import type { BarkInputs } from "../bark/text/processor_options.ts";
import { generateSemantic } from "../bark/generate/semantic_stage.ts";
import { StageRun } from "../bark/generate/stage_run.ts";
import { NdArray } from "../engine/ndarray.ts";
import { openGpu, type Gpu } from "../engine/gpu.ts";
import { matmulLab } from "../kernels/matmul/lab/versions.ts";
import { matmulVersions, type OwnMatmulVersion } from "../kernels/matmul/versions.ts";
import { requireVersion } from "../kernels/version.ts";
import { addDifferences, commonPrefix, compareScores, none, type Difference } from "./agreement/compare.ts";
import { forcedScores, type ForcedStage, type Scores, type Spoken } from "./agreement/forced_scores.ts";
import { syntheticBark, type Subject as Loaded } from "./synthetic.ts";

const formats = ["f16", "q8"] as const;
const stages: readonly ForcedStage[] = ["semantic", "coarse", "fine"];
const sentences = [
  "Hello, my dog is cute.",
  "It will rain tomorrow in the north of the country.",
  "Where did you put the key to the red door?",
  "One, two, three, four, five!",
  "Please be quiet.",
  "The train to the city leaves in ten minutes.",
];

interface Subject extends Loaded {
  readonly sentences: readonly string[];
  readonly voice: string | null;
  speak(model: BarkModel, inputs: BarkInputs): Promise<Omit<Spoken, "ids" | "mask" | "voice">[]>;
}

const subjects: Record<string, Subject> = {
  nano: {
    name: "models/nano",
    files: "models/nano",
    load: (options) => BarkModel.from_pretrained("models/nano", options),
    sentences,
    voice: "en_speaker_0",
    speak,
  },
  small: {
    ...syntheticBark("small"),
    name: "synthetic bark-small",
    sentences: sentences.slice(0, 1),
    voice: null,
    speak: speakALittle,
  },
};

/** All sentences in one batch. */
async function speak(model: BarkModel, inputs: BarkInputs) {
  const run = await model.generate_output({ ...inputs, do_sample: false, fine_temperature: null });
  const { eos_token_id: eos } = model.generation_config.semantic_config;
  const books = model.generation_config.coarse_acoustics_config.n_coarse_codebooks;
  return run.semantic.map((semantic, row) => ({
    semantic: semantic.slice(0, semantic.includes(eos) ? semantic.indexOf(eos) + 1 : undefined),
    coarse: run.coarse[row].slice(0, run.coarse_lengths[row]),
    fine: firstFrames(run.fine.row(row), run.coarse_lengths[row] / books),
  }));
}

function firstFrames(codes: NdArray, count: number): NdArray {
  const [books, frames] = codes.shape;
  const kept = Array.from({ length: books }, (_, book) =>
    Array.from(codes.data.subarray(book * frames, book * frames + count)),
  );
  return new NdArray(Int32Array.from(kept.flat()), [books, count]);
}

/** A few semantic and coarse tokens; the fine stage, which computes windows of 1024 frames, is left out. */
async function speakALittle({ semantic, coarse_acoustics, generation_config: config }: BarkModel, inputs: BarkInputs) {
  const kwargs = { do_sample: false, semantic_max_new_tokens: 16, attention_mask: inputs.attention_mask! };
  const options = routeGenerateKwargs(kwargs, config);
  const ids = inputs.input_ids.tolist() as number[][];
  const tokens = await semantic.weights.use((weights) =>
    generateSemantic(
      weights,
      ids,
      null,
      config.semantic_config,
      options.semantic,
      new StageRun("semantic", { seed: 0n }),
    ),
  );
  const coarse = await coarse_acoustics.weights.use((weights) =>
    generateCoarse(weights, tokens, null, config, options.coarse, new StageRun("coarse", { seed: 0n })),
  );
  const shape = [config.fine_acoustics_config.n_fine_codebooks, 16];
  const codes = Int32Array.from({ length: shape[0] * shape[1] }, (_, i) => (i * 389) % config.codebook_size);
  return [{ semantic: tokens[0], coarse: coarse.tokens[0], fine: new NdArray(codes, shape) }];
}

interface Measured {
  readonly spoken: Spoken[];
  readonly scores: Record<ForcedStage, Scores>[];
}

/** Speaks every sentence in one format; scores are those before the tokens of `reference`, or of the run itself. */
async function measure(
  gpu: Gpu,
  subject: Subject,
  dtype: "f32" | "f16" | "q8",
  reference?: Measured,
): Promise<Measured> {
  const model = await subject.load({ gpu, dtype, low_memory: true });
  const { max_input_semantic_length: max_length } = model.generation_config.semantic_config;
  const processor = await BarkProcessor.from_pretrained(subject.files);
  const inputs = await processor(subject.sentences, { max_length, voice_preset: subject.voice });
  const runs = await subject.speak(model, inputs);
  const rowOf = (array: NdArray | undefined, row: number): number[] => Array.from(array!.row(row).data);
  const spoken = runs.map((run, row) => ({
    ...run,
    ids: rowOf(inputs.input_ids, row),
    mask: rowOf(inputs.attention_mask, row),
    voice: inputs.history_prompt ?? null,
  }));
  const scores: Measured["scores"] = [];
  for (const [row, run] of (reference?.spoken ?? spoken).entries()) {
    scores.push(await forcedScores(model, run));
    console.error(`${subject.name} ${dtype}: ${row + 1}/${spoken.length}`);
  }
  model.dispose();
  return { spoken, scores };
}

function report(subject: Subject, dtype: string, reference: Measured, measured: Measured): void {
  for (const stage of stages) {
    const { tokens, equal, max, sum, scores } = reference.scores
      .map((wanted, i) => compareScores(wanted[stage], measured.scores[i][stage]))
      .reduce<Difference>(addDifferences, none);
    const prefix = reference.spoken.map((run, i) =>
      commonPrefix(tokensOf(run, stage), tokensOf(measured.spoken[i], stage)),
    );
    const total = reference.spoken.map((run) => tokensOf(run, stage).length);
    const free = prefix.map((length, i) => `${length}/${total[i]}`).join(" ");
    console.log(
      `| ${subject.name} | ${dtype} | ${stage} | ${((100 * equal) / tokens).toFixed(2)} % of ${tokens} | ` +
        `${max.toExponential(1)} | ${(sum / scores).toExponential(1)} | ${free} |`,
    );
  }
}

function tokensOf(spoken: Spoken, stage: ForcedStage): ArrayLike<number> {
  return stage === "fine" ? spoken.fine.data : spoken[stage];
}

/** The adapter's choice for many rows is this rung until the result is called: kernels/choose.ts knows none of the lab. */
function chooseRung(rung: keyof typeof matmulLab): () => void {
  const table: Record<string, OwnMatmulVersion> = matmulVersions;
  const own = { ...table };
  for (const name of Object.keys(table)) if (name.startsWith("gemm")) table[name] = matmulLab[rung];
  return () => void Object.assign(table, own);
}

const given = process.argv.slice(2);
const rungs = (Object.keys(matmulLab) as (keyof typeof matmulLab)[]).filter((name) => given.includes(name));
const wanted = given.filter((name) => !Object.hasOwn(matmulLab, name));
const unknown = wanted.find((name) => !Object.hasOwn(subjects, name));
if (unknown !== undefined) {
  console.error(
    `no such subject: ${unknown}; one of ${[...Object.keys(subjects), ...Object.keys(matmulLab)].join(", ")}`,
  );
  process.exit(2);
}
const gpu = await openGpu({ onNotice: console.error });
try {
  for (const rung of rungs) requireVersion(gpu, matmulLab[rung], { inner: 4 });
} catch (error) {
  console.error((error as Error).message);
  process.exit(4);
}
console.log(
  "| checkpoint | weights | stage | same greatest score | max error | mean error | free run: equal from the start |",
);
console.log("|---|---|---|---|---|---|---|");
for (const name of wanted.length === 0 ? Object.keys(subjects) : wanted) {
  const subject = subjects[name];
  const reference = await measure(gpu, subject, "f32");
  for (const dtype of rungs.length > 0 ? [] : formats)
    report(subject, dtype, reference, await measure(gpu, subject, dtype, reference));
  for (const rung of rungs) {
    const restore = chooseRung(rung);
    report(subject, rung, reference, await measure(gpu, subject, "f32", reference));
    restore();
  }
}
process.exit(0);
