/**
 * What `latency: "low"` costs: `npx tsx tools/stream/low_cost.ts [MODEL [SECONDS [SENTENCES]]]`, or with `synthetic-small`
 * one of bark-small's shape (random weights: the machinery, no statement about speech). For each lookahead, beside the exact codes: the share of
 * equal fine codes by distance to the edge of a run, the mean log-probability of the codes under full context, the spectral
 * distance of the sound beside two yardsticks (another seed of the fine stage; 4 codebooks), and clicks at the seams.
 */
import { BarkModel, BarkProcessor, NdArray, type BarkOutput, type HistoryPrompt } from "../../speech/node.ts";
import { syntheticBark } from "../synthetic.ts";
import { spectralDistance, sharpest } from "./sound.ts";

const sentences = ["The dog is here, and the cat.", "She opened the door and went in.", "It was a cold day in May."];
const lookaheads = [0, 8, 15, 30, 60];

const [name = "nano", seconds = "Infinity", count = "3"] = process.argv.slice(2);
const size = (["small", "tiny"] as const).find((each) => name === `synthetic-${each}`);
const subject = size && syntheticBark(size);
const model = await (subject?.load({}) ?? BarkModel.from_pretrained(name));
const processor = await BarkProcessor.from_pretrained(subject?.files ?? name);
const { fine_acoustics_config: fine, coarse_acoustics_config: coarse } = model.generation_config;
const { n_fine_codebooks: books } = fine;
const [voice] = processor.available_voice_presets;
const history: HistoryPrompt | null = voice === undefined ? null : await processor.loadVoice(voice);
const frames = fine.max_fine_input_length - Math.min(fine.max_fine_history_length, history?.fine_prompt.shape[1] ?? 0);
// At most one window of the reference, whose codes are all exact.
const semantic_max_new_tokens = Math.floor(
  Math.min(frames / 75, Number(seconds)) * model.generation_config.semantic_config.semantic_rate_hz,
);

async function stream(kwargs: Parameters<typeof model.generate_stream>[0]): Promise<[BarkOutput, number[]]> {
  const steps = model.generate_stream(kwargs);
  const seams: number[] = [];
  for (let at = 0; ;) {
    const { done, value } = await steps.next();
    if (done === true) return [value, seams.slice(0, -1)];
    seams.push((at += value.length));
  }
}

interface Row {
  equal: number[];
  logp: number[];
  distance: number[];
  clicks: number[];
  byEdge: number[][];
}
const rows = new Map<string, Row>();
const rowOf = (key: string): Row => {
  const row = rows.get(key) ?? { equal: [], logp: [], distance: [], clicks: [], byEdge: [[], [], [], []] };
  rows.set(key, row);
  return row;
};

for (const text of sentences.slice(0, Number(count))) {
  const max_length = model.generation_config.semantic_config.max_input_semantic_length;
  const inputs = {
    ...(await processor(text, { max_length })),
    history_prompt: history,
    seed: 1,
    semantic_max_new_tokens,
  };
  const greedy = { ...inputs, fine_temperature: null };
  const exact = await model.generate_output(greedy);
  await compare("exact", exact, exact, []);
  for (const lookahead of lookaheads) {
    const [low, seams] = await stream({ ...greedy, latency: "low", lookahead });
    await compare(`low, lookahead ${lookahead}`, exact, low, seams, lookahead);
  }
  const { temperature } = fine;
  const sampled = await model.generate_output({ ...inputs, fine_temperature: temperature });
  await compare("yardstick: fine codes sampled", exact, sampled, []);
  const half = new NdArray(exact.fine.data.slice(0, 4 * exact.fine.shape[2]), [1, 4, exact.fine.shape[2]]);
  const distance = spectralDistance((await model.codec_decode(half)).data, exact.audio.data);
  rowOf("yardstick: 4 codebooks").distance.push(distance);
}

async function compare(
  key: string,
  exact: BarkOutput,
  other: BarkOutput,
  seams: number[],
  lookahead = 0,
): Promise<void> {
  const row = rowOf(key);
  const [, , count] = exact.fine.shape;
  const edges = seams.map((at) => Math.round(at / 320));
  let equal = 0;
  for (let frame = 0; frame < count; frame++) {
    const edge = edges.find((end) => end > frame) ?? count;
    // Frames to the right that the run knew.
    const ahead = edge === count ? Infinity : edge - 1 - frame + lookahead;
    const bin = [8, 30, 60].filter((limit) => ahead >= limit).length;
    for (let book = coarse.n_coarse_codebooks; book < books; book++) {
      const same = Number(exact.fine.data[book * count + frame] === other.fine.data[book * count + frame]);
      equal += same;
      row.byEdge[bin].push(same);
    }
  }
  row.equal.push(equal / (count * (books - coarse.n_coarse_codebooks)));
  row.logp.push(await logProbability(other));
  row.distance.push(spectralDistance(other.audio.data, exact.audio.data));
  if (seams.length > 0) row.clicks.push(sharpest(other.audio.data, seams));
}

/** Mean log-probability of the fine codes where the model sees all frames of the coarse ones, and their own before them. */
async function logProbability({ fine: codes }: BarkOutput): Promise<number> {
  const [, , count] = codes.shape;
  const width = fine.max_fine_input_length;
  const past = Math.min(fine.max_fine_history_length, history?.fine_prompt.shape[1] ?? 0);
  const pad = model.generation_config.codebook_size;
  let sum = 0;
  for (let book = coarse.n_coarse_codebooks; book < books; book++) {
    const ids = new Int32Array(width * books).fill(pad);
    for (let t = 0; t < past; t++)
      for (let q = 0; q < books; q++) {
        const [, length] = history!.fine_prompt.shape;
        ids[t * books + q] = Number(history!.fine_prompt.data[q * length + length - past + t]);
      }
    for (let t = 0; t < count; t++)
      for (let q = 0; q < book; q++) ids[(past + t) * books + q] = codes.data[q * count + t];
    const { logits } = await model.fine_acoustics.forward({
      codebook_idx: book,
      input_ids: new NdArray(ids, [1, width, books]),
    });
    const vocabulary = logits.shape[2];
    for (let t = 0; t < count; t++) {
      const scores = logits.data.subarray((past + t) * vocabulary, (past + t) * vocabulary + pad);
      const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
      const total = scores.reduce((all, score) => all + Math.exp(score - most), 0);
      sum += scores[codes.data[book * count + t]] - most - Math.log(total);
    }
  }
  return sum / (count * (books - coarse.n_coarse_codebooks));
}

const mean = (values: readonly number[]): string =>
  values.length === 0 ? "" : (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3);
console.log(
  `${name} on ${model.device}, ${count} sentences of at most ${Math.min(frames, 75 * Number(seconds))} frames`,
);
console.log(
  "| | equal codes | by frames ahead: < 8 | 8 to 29 | 30 to 59 | 60, or all | log p | dB | seams beside p99.9 |",
);
console.log("|---|---|---|---|---|---|---|---|---|");
for (const [key, { equal, byEdge, logp, distance, clicks }] of rows)
  console.log(`| ${key} | ${[equal, ...byEdge, logp, distance, clicks].map(mean).join(" | ")} |`);
model.dispose();
