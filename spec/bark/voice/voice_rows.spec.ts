import { expect } from "chai";
import { BarkModel } from "../../../bark/model.ts";
import type { BarkOutput } from "../../../bark/generate/output.ts";
import type { BatchVoice } from "../../../bark/voice/history_prompt.ts";
import { expectClose } from "../../support/close.ts";
import {
  expectTokens,
  generateKwargs,
  readFloats,
  readRuns,
  tolerance,
  type FixtureRun,
} from "../../support/fixture.ts";
import { fixtureCheckpoint } from "../../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../../support/gpu.ts";

const { runs } = await readRuns("odd");
const runNamed = (name: string): FixtureRun => runs.find((run) => run.name === name)!;
const voiceOf = (name: string): BatchVoice => generateKwargs(runNamed(name)).history_prompt ?? null;

// Beyond transformers, which takes one voice a batch: a row of ours is held against transformers' run of that row alone.
describe("a voice a row", () => {
  let model: BarkModel;
  before(async () => {
    model = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), { gpu: await sharedGpu() });
  });
  after(() => model.dispose());

  const row = ({ audio, semantic, coarse, coarse_lengths, fine, output_lengths }: BarkOutput, r: number) => {
    const frames = coarse_lengths[r] / model.generation_config.coarse_acoustics_config.n_coarse_codebooks;
    return {
      semantic: [semantic[r]],
      coarse: [coarse[r].slice(0, coarse_lengths[r])],
      fine: (fine.row(r).tolist() as number[][]).map((codes) => codes.slice(0, frames)),
      audio: audio.row(r).data.slice(0, output_lengths[r]),
      rest: audio.row(r).data.slice(output_lengths[r]),
    };
  };

  it("speaks each row as transformers does alone, with voices of any length and without one", async () => {
    const own = ["plain", "history", "long_history"].map(runNamed);
    const output = await model.generate_output({
      ...generateKwargs(own[0]),
      input_ids: own.flatMap(({ input_ids }) => input_ids),
      attention_mask: own.flatMap(({ attention_mask }) => attention_mask!),
      history_prompt: own.map(({ name }) => voiceOf(name)) as BatchVoice,
    });
    for (const [r, run] of own.entries()) {
      const spoken = row(output, r);
      expectTokens(spoken.semantic, run.semantic, `${run.name}: semantic`);
      expectTokens(spoken.coarse, run.coarse, `${run.name}: coarse`);
      expectTokens(spoken.fine, run.fine[0], `${run.name}: fine`);
      expectClose(spoken.audio, await readFloats("odd", run.audio), tolerance, `${run.name}: audio`);
    }
  });

  it("cuts rows that end early to their own length, with silence after it", async () => {
    const run = runNamed("early_end");
    const history_prompt = ["history", "short_odd_history"].map(voiceOf);
    const batch = await model.generate_output({ ...generateKwargs(run), history_prompt: history_prompt as BatchVoice });
    expect(new Set(batch.output_lengths).size, "rows of different lengths").equal(2);
    for (const r of [0, 1]) {
      const alone = await model.generate_output({
        ...generateKwargs(run),
        input_ids: [run.input_ids[r]],
        attention_mask: [run.attention_mask![r]],
        history_prompt: history_prompt[r],
      });
      const [spoken, own] = [row(batch, r), row(alone, 0)];
      expectTokens([spoken.semantic[0].slice(0, own.semantic[0].length)], own.semantic, "semantic");
      expectTokens(spoken.coarse, own.coarse, "coarse");
      expectTokens(spoken.fine, own.fine, "fine");
      expectClose(spoken.audio, own.audio, tolerance, "audio");
      expect(spoken.rest.every((sample) => sample === 0)).equal(true);
    }
  });

  it("makes nothing of a row that ends at once, and of its neighbours what they are alone", async () => {
    const run = runNamed("history");
    const { eos_token_id, semantic_vocab_size } = model.generation_config.semantic_config;
    const ids = Array.from({ length: semantic_vocab_size }, (_, id) => id);
    const endsAtOnce = (rows: readonly number[]) => (row: number) => (rows.includes(row) ? [eos_token_id] : ids);
    const voice = voiceOf("history");
    const speak = async (texts: number, ending: readonly number[]): Promise<BarkOutput> =>
      await model.generate_output({
        ...generateKwargs(run),
        input_ids: Array.from({ length: texts }, () => run.input_ids[0]),
        attention_mask: Array.from({ length: texts }, () => run.attention_mask![0]),
        history_prompt: Array.from({ length: texts }, () => voice) as BatchVoice,
        semantic_prefix_allowed_tokens_fn: endsAtOnce(ending),
      });
    const alone = row(await speak(1, []), 0);
    const batch = await speak(3, [0, 2]);
    expect([batch.coarse_lengths[0], batch.coarse_lengths[2]]).deep.equal([0, 0]);
    expect(batch.output_lengths.map((length) => length > 0)).deep.equal([false, true, false]);
    const spoken = row(batch, 1);
    expectTokens(spoken.coarse, alone.coarse, "coarse");
    expectTokens(spoken.fine, alone.fine, "fine");
    expectClose(spoken.audio, alone.audio, tolerance, "audio");
  });

  // The host's search draws on its own, so it is held to the same rule.
  for (const [path, more] of [
    ["on the GPU", {}],
    ["in the host's search", { semantic_repetition_penalty: 1.01, coarse_repetition_penalty: 1.01 }],
  ] as const)
    it(`draws for each row what it draws alone with the seed, ${path}`, async () => {
      const own = ["plain", "history", "long_history"].map(runNamed);
      const drawn = { ...more, do_sample: true, temperature: 1, top_k: 20, seed: 11, semantic_max_new_tokens: 24 };
      const batch = await model.generate_output({
        ...generateKwargs(own[0]),
        ...drawn,
        input_ids: own.flatMap(({ input_ids }) => input_ids),
        attention_mask: own.flatMap(({ attention_mask }) => attention_mask!),
        history_prompt: own.map(({ name }) => voiceOf(name)) as BatchVoice,
      });
      const rows = own.map((_, r) => row(batch, r));
      for (const [r, run] of own.entries()) {
        const alone = await model.generate_output({ ...generateKwargs(run), ...drawn });
        const expected = row(alone, 0);
        const count = expected.semantic[0].length;
        expectTokens([rows[r].semantic[0].slice(0, count)], expected.semantic, `${run.name}: semantic`);
        expectTokens(rows[r].coarse, expected.coarse, `${run.name}: coarse`);
        expectTokens(rows[r].fine, expected.fine, `${run.name}: fine`);
      }
      expect(rows[0].semantic, "rows draw").not.deep.equal(rows[1].semantic);
    });

  it("refuses another number of voices than rows, and names the one that is none", async () => {
    const kwargs = generateKwargs(runNamed("early_end"));
    for (const [history_prompt, problem] of [
      [[voiceOf("history")], /^history_prompt: has another number of voices than there are texts \(expected 2 voices/],
      [[null, 5], /^history_prompt\[1\]: wrong value \(expected a voice/],
    ] as const) {
      const error = await model
        .generate_output({ ...kwargs, history_prompt: history_prompt as never })
        .catch((e: Error) => e);
      expect((error as Error).message).match(problem);
    }
  });
});
