import type { Sequences } from "../logits/processor.ts";
import { argmax, processed, withNoise, type Search } from "./search.ts";
import { stopsOf } from "./stopping.ts";

/**
 * transformers' `_sample`: every sequence takes its likeliest token, or a draw, until all are at their end.
 * @returns the tokens of each sequence; those that ended early are filled with `pad_token_id` where there is an end.
 */
export async function sampleSearch(search: Search): Promise<number[][]> {
  const { source, options, processors, draw } = search;
  const { eos_token_id: eos, pad_token_id, do_sample } = options;
  const stops = stopsOf({ ...options, maxLength: search.maxLength });
  const history: Float32Array[][] | null = options.return_dict_in_generate && options.output_scores ? [] : null;
  const inputLength = search.ids[0].length;
  let sequences: Sequences = search.ids;
  const isDone = sequences.map(() => false);
  let logits = await source.prefill(search.inputs, search.signal);
  for (let step = 0; ; step++) {
    const scores = await processed(processors, sequences, logits);
    history?.push(scores);
    const tokens = scores.map((own, row) => {
      if (isDone[row] && eos !== null) return pad_token_id ?? eos[0];
      return do_sample
        ? indexOfMost(withNoise(own, { ...draw, row: row % draw.rows, step: draw.step + step }))
        : argmax(own);
    });
    sequences = sequences.map((ids, row) => [...ids, tokens[row]]);
    search.onStep(step + 1);
    for (const [row, done] of (await stops(sequences, history)).entries()) isDone[row] ||= done;
    if (isDone.every(Boolean)) break;
    logits = await source.step(tokens);
  }
  return sequences.map((ids) => ids.slice(inputLength));
}

function indexOfMost(values: Float64Array): number {
  return values.reduce((best, value, place) => (value > values[best] ? place : best), 0);
}
