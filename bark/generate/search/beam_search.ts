import { EngineError } from "../../../engine/errors.ts";
import { logSoftmax, softmax } from "../logits/math.ts";
import { processed, withNoise, type Search } from "./search.ts";
import { stopsOf } from "./stopping.ts";
import { topk } from "./topk.ts";

const { fround } = Math;

/** What no beam's score reaches: transformers adds it, in f32, to what must not be chosen. */
const never = -1e9;

/** A sequence and what is known of it. */
interface Beam {
  /** The input's included. */
  readonly ids: readonly number[];
  readonly score: number;
}

/** A beam and one token. */
interface Candidate extends Beam {
  /** The beam that it continues. */
  readonly origin: number;
}

interface Finished extends Beam {
  readonly isFinished: boolean;
}

/** The beams of one row of the batch. */
interface BeamRow {
  running: Candidate[];
  finished: Finished[];
  /** Whether a running beam may still become better than the finished ones. */
  canImprove: boolean;
}

/**
 * transformers' `_beam_search` of 5.23: the same order of choices and roundings, so that the same beams survive.
 * @returns the tokens of the best `num_return_sequences` of each row, shorter ones filled at their end.
 */
export async function beamSearch(search: Search): Promise<number[][]> {
  const { source, options, processors, ids } = search;
  const { num_beams: beams, eos_token_id: eos } = options;
  const inputLength = ids[0].length;
  const stops = stopsOf({ ...options, maxLength: search.maxLength });
  const history: Float32Array[][] | null = options.return_dict_in_generate && options.output_scores ? [] : null;
  const kept = Math.max(2, 1 + (eos?.length ?? 0)) * beams;
  const rows = Array.from({ length: ids.length / beams }, (_, row) => firstBeams(ids[row * beams], beams));
  let logits = await source.prefill(search.inputs, search.signal);
  for (let step = 0; ; step++) {
    const sequences = rows.flatMap(({ running }) => running.map((beam) => beam.ids));
    const scores = await processed(processors, sequences, logits.map(logSoftmax));
    history?.push(scores);
    const candidates = rows.map((row, r) => continuations(search, row, scores.slice(r * beams), kept, r, step));
    search.onStep(step + 1);
    const done = await stops(
      candidates.flatMap((row) => row.map((candidate) => candidate.ids)),
      history,
    );
    for (const [r, row] of rows.entries()) {
      const hits = done.slice(r * kept, (r + 1) * kept);
      row.running = nextRunning(candidates[r], hits, beams);
      row.finished = nextFinished(search, row, candidates[r], hits, step + 1);
      row.canImprove &&= mayImprove(search, row, step + 1);
    }
    const isFull = rows.every((row) => row.finished.every((beam) => beam.isFinished));
    if (!rows.some((row) => row.canImprove) || (isFull && options.early_stopping === true) || done.every(Boolean))
      break;
    const running = rows.flatMap((row, r) => row.running.map((beam) => ({ ...beam, origin: r * beams + beam.origin })));
    logits = await source.step(
      running.map((beam) => beam.ids[beam.ids.length - 1]),
      running.map((beam) => beam.origin),
    );
  }
  return answers(search, rows, inputLength);
}

/** All beams begin alike, so only the first may be continued at first. */
function firstBeams(ids: readonly number[], beams: number): BeamRow {
  const all = Array.from({ length: beams }, (_, i) => i);
  return {
    running: all.map((origin) => ({ ids, origin, score: origin === 0 ? 0 : never })),
    finished: all.map(() => ({ ids, score: fround(never), isFinished: false })),
    canImprove: true,
  };
}

/** The best `kept` continuations of a row's beams, or draws without replacement. */
function continuations(
  { options, draw }: Search,
  { running }: BeamRow,
  scores: readonly Float32Array[],
  kept: number,
  row: number,
  step: number,
): Candidate[] {
  const vocabulary = scores[0].length;
  const sums = new Float32Array(running.length * vocabulary);
  for (const [i, beam] of running.entries())
    for (const [id, score] of scores[i].entries()) sums[i * vocabulary + id] = score + fround(beam.score);
  if (kept > sums.length)
    throw new EngineError("usage", "the model has too few tokens for so many beams", {
      where: "num_beams",
      expected: `at most ${sums.length} continuations`,
      actual: kept,
    });
  const order = options.do_sample ? drawn(sums, { ...draw, row: row % draw.rows, step: draw.step + step }) : sums;
  return topk(order, kept).map((place) => {
    const origin = Math.floor(place / vocabulary);
    return { ids: [...running[origin].ids, place % vocabulary], score: sums[place], origin };
  });
}

/** What cannot be drawn comes last, as where torch's probability is 0. */
function drawn(sums: Float32Array, draw: Parameters<typeof withNoise>[1]): Float64Array {
  const probabilities = softmax(sums);
  return withNoise(sums, draw).map((value, place) => (probabilities[place] > 0 ? value : -Infinity));
}

/** The best that go on. */
function nextRunning(candidates: readonly Candidate[], hits: readonly boolean[], beams: number): Candidate[] {
  const scores = candidates.map(({ score }, i) => (hits[i] ? fround(score + never) : score));
  return topk(scores, beams).map((i) => ({ ...candidates[i], score: scores[i] }));
}

/** The best of those that ended before and now. Only the first `num_beams` candidates count: the others are a reserve. */
function nextFinished(
  { options }: Search,
  row: BeamRow,
  candidates: readonly Candidate[],
  hits: readonly boolean[],
  length: number,
): Finished[] {
  const { num_beams: beams, length_penalty, early_stopping } = options;
  const divisor = fround(length ** length_penalty);
  const isFull = early_stopping === true && row.finished.every((beam) => beam.isFinished);
  const ended = candidates.map(({ ids, score }, i): Finished => {
    const isFinished = hits[i] && i < beams;
    let value = fround(score / divisor);
    for (const isOut of [isFull, !row.canImprove, !isFinished]) if (isOut) value = fround(value + never);
    return { ids, score: value, isFinished };
  });
  const merged = [...row.finished, ...ended];
  const scores = merged.map((beam) => beam.score);
  return topk(scores, beams).map((i) => merged[i]);
}

/** transformers' heuristic of whether to go on: `_check_early_stop_heuristic`. */
function mayImprove({ options, maxLength, ids }: Search, { running, finished }: BeamRow, length: number): boolean {
  const { early_stopping, length_penalty } = options;
  const hypothetical = early_stopping === "never" && length_penalty > 0 ? maxLength - ids[0].length : length;
  const best = fround(running[0].score / fround(hypothetical ** length_penalty));
  const worst = Math.min(...finished.map((beam) => beam.score));
  return finished.some((beam) => best > (beam.isFinished ? worst : fround(never)));
}

function answers({ options }: Search, rows: readonly BeamRow[], inputLength: number): number[][] {
  const { num_return_sequences, eos_token_id: eos, pad_token_id: pad } = options;
  const tokens = rows.flatMap((row) =>
    row.finished.slice(0, num_return_sequences).map((beam) => beam.ids.slice(inputLength)),
  );
  const length = Math.max(...tokens.map((row) => row.length));
  // Python's `pad or eos[0] if eos is not None else -1`: a pad of 0 counts as none, and without an end as well.
  const fill = eos === null ? -1 : pad || eos[0];
  return tokens.map((row) => [...row, ...new Array<number>(length - row.length).fill(fill)]);
}
