import { expect } from "chai";
import type { CausalForwardKwargs } from "../../bark/gpt/forward/causal_forward.ts";
import type { FineForwardKwargs } from "../../bark/gpt/forward/fine_forward.ts";
import type { CausalLMOutputWithPast } from "../../bark/gpt/forward/model_output.ts";
import { BarkModel } from "../../bark/model.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { expectAnswer, kwargsOf, type ForwardCase } from "../support/forward.ts";
import { sharedGpu } from "../support/gpu.ts";
import { readFixtureJson } from "../support/runtime.ts";

type Part = "semantic" | "coarse_acoustics" | "fine_acoustics";
const cases = await readFixtureJson<Record<Part, ForwardCase[]>>("forward/cases.json");

describe("forward of a Bark's parts", () => {
  let gpu: Gpu;
  let model: BarkModel;
  let bytes: number;

  before(async () => {
    gpu = await sharedGpu();
    model = await BarkModel.from_pretrained(await fixtureCheckpoint("forward"), { gpu });
    bytes = gpu.ledger.bytes;
  });
  after(() => model.dispose());
  afterEach("frees what it made", () => expect(gpu.ledger.bytes).to.equal(bytes));

  for (const part of ["semantic", "coarse_acoustics"] as const)
    describe(part, () => {
      const answers = new Map<string, Promise<CausalLMOutputWithPast>>();

      /** Every case is run once, so that those which continue it share one cache. */
      function run(name: string): Promise<CausalLMOutputWithPast> {
        const answer = answers.get(name) ?? runOnce(cases[part].find((stored) => stored.name === name)!);
        answers.set(name, answer);
        return answer;
      }

      async function runOnce(stored: ForwardCase): Promise<CausalLMOutputWithPast> {
        const past_key_values = stored.past === null ? null : (await run(stored.past)).past_key_values;
        const kwargs = { ...kwargsOf(stored), past_key_values } as CausalForwardKwargs;
        return await model[part].forward(kwargs);
      }

      for (const stored of cases[part])
        it(stored.past === null ? stored.name : `${stored.name} (after ${stored.past})`, async () => {
          await expectAnswer(await run(stored.name), stored);
        });

      it("leaves a cache as it was when others continue it", async () => {
        const pasts = new Set(cases[part].flatMap(({ past }) => past ?? []));
        for (const stored of cases[part])
          if (pasts.has(stored.name)) await expectAnswer(await run(stored.name), stored);
      });
    });

  describe("fine_acoustics", () => {
    for (const stored of cases.fine_acoustics)
      it(stored.name, async () => {
        await expectAnswer(
          await model.fine_acoustics.forward(kwargsOf(stored) as unknown as FineForwardKwargs),
          stored,
        );
      });
  });
});
