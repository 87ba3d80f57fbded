import { expect } from "chai";
import type { BarkModel } from "../../../bark/model.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import { historyPrompt, type FixtureRun } from "../../support/fixture.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { keywordModel, readKeywordCases, type KeywordCase } from "../../support/keyword_cases.ts";

/** The keywords that reach a stage, as BarkModel hands them on. */
function keywordsOf(stage: "semantic" | "coarse", { kwargs }: KeywordCase): Record<string, unknown> {
  const { min_eos_p, ...rest } = kwargs as Record<string, unknown>;
  const shared = Object.entries(rest).filter(
    ([name]) => !/^(semantic|coarse|fine)_|^return_output_lengths$/.test(name),
  );
  const own = Object.entries(rest).filter(([name]) => name.startsWith(`${stage}_`));
  return {
    do_sample: false,
    ...Object.fromEntries(shared),
    ...Object.fromEntries(own.map(([name, value]) => [name.slice(stage.length + 1), value])),
    ...(stage === "semantic" ? { min_eos_p: min_eos_p ?? null } : {}),
  };
}

const cases = (await readKeywordCases("bias")).filter((run) => run.error === undefined).slice(0, 16);

describe("generate of the sub-models, with the arguments of transformers in their places", () => {
  let model: BarkModel;
  before(async () => (model = await keywordModel("bias")));
  after(() => model.dispose());

  for (const run of cases)
    it(run.seed, async () => {
      const { semantic_config, coarse_acoustics_config, fine_acoustics_config, codebook_size } =
        model.generation_config;
      const voice = run.history === null ? null : historyPrompt(run.history as NonNullable<FixtureRun["history"]>);
      const { semantic, coarse_acoustics, fine_acoustics } = model;
      const ids = await semantic.generate(
        run.input_ids,
        semantic_config,
        voice,
        run.attention_mask,
        keywordsOf("semantic", run),
      );
      expect(ids.tolist(), "semantic").to.deep.equal(run.semantic);
      const codes = await coarse_acoustics.generate({
        ...keywordsOf("coarse", run),
        semantic_output: ids,
        semantic_generation_config: semantic_config,
        coarse_generation_config: coarse_acoustics_config,
        codebook_size,
        history_prompt: voice,
        return_output_lengths: true,
      });
      expect(codes[0].tolist(), "coarse").to.deep.equal(run.coarse);
      expect(codes[1].shape).to.deep.equal([run.coarse.length]);
      const args = [semantic_config, coarse_acoustics_config, fine_acoustics_config] as const;
      const fine = await fine_acoustics.generate(codes[0], ...args, codebook_size, voice, { temperature: null });
      expect(fine.tolist(), "fine").to.deep.equal(run.fine);
    });

  it("names what is missing, of another class, or does not fit", async () => {
    const { semantic, coarse_acoustics, fine_acoustics, generation_config } = model;
    const { semantic_config, coarse_acoustics_config, fine_acoustics_config } = generation_config;
    const ids = [[1, 2]];
    const loose = (part: object) => part as { generate: (...args: unknown[]) => Promise<unknown> };
    for (const [part, args, line] of [
      [semantic, [ids], /^semantic_generation_config: is missing/],
      [semantic, [ids, coarse_acoustics_config], /^semantic_generation_config: .*a BarkSemanticGenerationConfig/],
      [
        semantic,
        [ids, semantic_config, null, null, { generation_config: 1 }],
        /^generation_config: is not an argument/,
      ],
      [semantic, [ids, semantic_config, null, null, { coarse_top_k: 1 }], /^coarse_top_k: is not an argument/],
      [coarse_acoustics, [ids, semantic_config], /^coarse_generation_config: is missing/],
      [coarse_acoustics, [ids, semantic_config, coarse_acoustics_config, { max_new_tokens: 5 }], /^max_new_tokens: 5/],
      [fine_acoustics, [ids, semantic_config, coarse_acoustics_config], /^fine_generation_config: is missing/],
      [
        fine_acoustics,
        [ids, semantic_config, coarse_acoustics_config, fine_acoustics_config, 99],
        /codebook_size does not fit config.json/,
      ],
      [
        fine_acoustics,
        [[[1]], semantic_config, coarse_acoustics_config, fine_acoustics_config, 16],
        /^coarse: the coarse tokens end within a frame/,
      ],
    ] as const)
      expect((await engineErrorOf(() => loose(part).generate(...args))).message).to.match(line);
  });

  it("of a text by place is the same as by name", async () => {
    const { input_ids } = cases[0];
    const greedy = { do_sample: false, fine_temperature: null, seed: 3, attention_mask: cases[0].attention_mask };
    const byName = await model.generate({ input_ids, ...greedy });
    const byPlace = await model.generate(input_ids, null, greedy);
    expect(byPlace).to.be.instanceOf(NdArray).and.to.deep.equal(byName);
    const [audio] = (await model.generate(input_ids, null, true, greedy)) as [NdArray<Float32Array>, number[]];
    expect(audio.shape).to.deep.equal(byName.shape);
  });
});
