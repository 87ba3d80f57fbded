import { softmax } from "./math.ts";
import { eachRow, type LogitsProcessor } from "./processor.ts";

/** An id range [start, end). */
type IdRange = readonly [start: number, end: number];

/** Only these ids: semantic tokens and their end, or with {@link alternating} the codes of one codebook. */
export function allowOnly(ranges: readonly IdRange[]): LogitsProcessor {
  return eachRow((scores) => {
    restrict(scores, ranges);
  });
}

/** Bark's AlternatingCodebooksLogitsProcessor: the first codebook at even steps after the input, the others at odd ones. */
export function alternating(inputLength: number, [even, odd]: readonly [IdRange, IdRange]): LogitsProcessor {
  return eachRow((scores, ids) => {
    restrict(scores, [(ids.length - inputLength) % 2 === 0 ? even : odd]);
  });
}

/** Bark's BarkEosPrioritizerLogitsProcessor: the end of speech is the only choice as soon as it is likelier than `minimum`. */
export function prioritiseEos(eos: number, minimum: number): LogitsProcessor {
  return eachRow((scores) => {
    if (softmax(scores)[eos] > Math.fround(minimum)) restrict(scores, [[eos, eos + 1]]);
  });
}

function restrict(scores: Float32Array, ranges: readonly IdRange[]): void {
  for (const id of scores.keys()) if (!ranges.some(([start, end]) => id >= start && id < end)) scores[id] = -Infinity;
}
