import { expect } from "chai";
import {
  resolveCausal,
  type CausalOptions,
  type StageArguments,
} from "../../../bark/generate/options/causal_options.ts";
import { fieldReaders } from "../../../bark/generate/options/keywords.ts";
import { processorsOf } from "../../../bark/generate/logits/processors_of.ts";
import { argmax, processed, withNoise } from "../../../bark/generate/search/search.ts";
import { topk } from "../../../bark/generate/search/topk.ts";
import { BarkSemanticGenerationConfig } from "../../../bark/config/generation_config.ts";
import type { Reader } from "../../../engine/check/arguments.ts";
import { readFixtureJson } from "../../support/runtime.ts";

/** What transformers' processors make of a row of logits (spec/fixtures/warped); null: -inf. */
interface WarpedCase {
  logits: number[];
  ids: number[];
  options: Record<string, unknown>;
  scores: (number | null)[];
}

const cases = await readFixtureJson<WarpedCase[]>("warped/cases.json");

function optionsOf(given: Record<string, unknown>): CausalOptions {
  const readers: Readonly<Record<string, Reader<unknown>>> = fieldReaders;
  const read = Object.entries(given).map(([name, value]) => [name, readers[name](value, name)]);
  const kwargs = { do_sample: true, renormalize_logits: true, ...Object.fromEntries(read) } as StageArguments;
  return resolveCausal("semantic", kwargs, new BarkSemanticGenerationConfig());
}

async function scoresOf({ logits, ids, options }: WarpedCase): Promise<Float32Array> {
  const processors = processorsOf(optionsOf(options), {
    inputLength: 3,
    maxLength: 99,
    inputs: [ids.slice(0, 3)],
    own: [],
  });
  return (await processed(processors, [ids], [Float32Array.from(logits)]))[0];
}

describe("logits processors", () => {
  for (const [i, run] of cases.entries())
    it(`${i} ${JSON.stringify(run.options)}: the scores are transformers'`, async () => {
      const scores = await scoresOf(run);
      expect(Array.from(scores, (score) => score === -Infinity)).to.deep.equal(
        run.scores.map((score) => score === null),
      );
      for (const [id, score] of run.scores.entries()) if (score !== null) expect(scores[id]).closeTo(score, 2e-5);
    });

  const draws = 10_000;

  for (const [i, run] of cases.entries())
    if (i % 10 === 0)
      it(`${i}: ${draws} draws are distributed as transformers' scores`, async () => {
        const scores = await scoresOf(run);
        const counts = new Float64Array(scores.length);
        for (let step = 0; step < draws; step++)
          counts[argmax(Float32Array.from(withNoise(scores, { seed: 11n, stage: 1, row: 0, step })))]++;
        const masses = run.scores.map((score) => (score === null ? 0 : Math.exp(score)));
        const total = masses.reduce((sum, mass) => sum + mass, 0);
        const expected = masses.map((mass) => (draws * mass) / total);
        for (const [id, count] of expected.entries()) if (count === 0) expect(counts[id], `${id}`).to.equal(0);
        expectChiSquare(Array.from(counts), expected);
      });
});

/** Cells of fewer than 5 are put together; the limit is 6 standard deviations of the statistic, and holds for good seeds. */
function expectChiSquare(counts: readonly number[], expected: readonly number[]): void {
  const large = expected.map((count) => count >= 5);
  const rest = (values: readonly number[]): number => values.reduce((sum, v, id) => (large[id] ? sum : sum + v), 0);
  const cells = expected.flatMap((count, id) => (large[id] ? [[counts[id], count]] : []));
  if (rest(expected) >= 5) cells.push([rest(counts), rest(expected)]);
  const statistic = cells.reduce((sum, [seen, wanted]) => sum + (seen - wanted) ** 2 / wanted, 0);
  const freedom = cells.length - 1;
  expect(statistic).to.be.at.most(freedom + 6 * Math.sqrt(2 * freedom) + 1e-9);
}

describe("topk", () => {
  it("has torch's order, also of equal values and NaN", () => {
    const low = -Infinity;
    const same = (value: number, count: number): number[] => new Array<number>(count).fill(value);
    // Answers of torch.topk(torch.tensor(values), k).indices.
    for (const [values, k, places] of [
      [[1, 3, 2], 2, [1, 2]],
      [same(0, 5), 3, [2, 4, 3]],
      [same(0, 200), 3, [0, 1, 2]],
      [same(NaN, 7), 4, [5, 4, 3, 6]],
      [[1, NaN, 2, NaN, low], 5, [1, 3, 2, 0, 4]],
      [[...same(low, 90), 1, ...same(low, 109)], 3, [90, 1, 0]],
      [same(low, 20), 10, [15, 11, 12, 13, 14, 17, 19, 18, 10, 16]],
    ] as const)
      expect(topk(values, k), `${values.length} values`).to.deep.equal(places);
  });
});
