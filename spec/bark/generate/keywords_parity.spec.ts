import { expect } from "chai";
import type { BarkGenerateKwargs } from "../../../bark/generate/options/generate_arguments.ts";
import type { BarkModel } from "../../../bark/model.ts";
import { EngineError } from "../../../engine/errors.ts";
import { expectTokens, generateKwargs, type FixtureRun } from "../../support/fixture.ts";
import { keywordModel, readKeywordCases } from "../../support/keyword_cases.ts";

for (const name of ["gap", "bias", "fields"]) {
  const cases = await readKeywordCases(name);

  describe(`keywords of generate as transformers has them, checkpoint "${name}"`, () => {
    let model: BarkModel;
    before(async () => (model = await keywordModel(name)));
    after(() => model.dispose());

    for (const run of cases)
      it(`${run.seed} ${JSON.stringify(run.kwargs).slice(0, 150)}`, async () => {
        const history = run.history ?? undefined;
        const given = generateKwargs({ ...run, history } as unknown as FixtureRun);
        if (run.error !== undefined) return await expectRefusal(model, given, run.error);
        const { semantic, coarse, fine } = await model.generate_output(given);
        expectTokens(semantic, run.semantic, "semantic");
        expectTokens(coarse, run.coarse, "coarse");
        expectTokens((fine.tolist() as number[][][]).flat(), run.fine.flat(), "fine");
      });
  });
}

async function expectRefusal(model: BarkModel, kwargs: BarkGenerateKwargs, error: string): Promise<void> {
  try {
    await model.generate_output(kwargs);
  } catch (refusal) {
    // Where the speech ends before it began, transformers' codec fails.
    const codes = error.includes("Kernel size") ? ["internal", "usage"] : ["usage"];
    expect(refusal, error).instanceOf(EngineError).with.property("code").oneOf(codes);
    return;
  }
  expect.fail(`transformers raises ${error}`);
}
