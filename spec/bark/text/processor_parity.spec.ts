import { expect } from "chai";
import { readFileSync } from "node:fs";
import { BarkProcessor } from "../../../bark/text/processor.ts";
import { EngineError } from "../../../engine/errors.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import "../../../checkpoint/node/index.ts";

interface Case {
  text: never;
  options: Record<string, unknown>;
  answer?: Record<string, unknown>;
  error?: string;
}
interface Decoded {
  ids: never;
  options: object;
  text: string | string[];
  batch: string[];
}

const { cases, decoded } = JSON.parse(readFileSync("spec/fixtures/processor/cases.json", "utf8")) as {
  cases: Case[];
  decoded: Decoded[];
};

describe("BarkProcessor as transformers has it (spec/fixtures/processor)", () => {
  let processor: BarkProcessor;
  before(async () => {
    processor = await BarkProcessor.from_pretrained("models/nano", { onNotice: () => undefined });
  });
  const plain = (value: unknown): unknown => (value instanceof NdArray ? value.tolist() : value);
  const nameOf = ({ text, options }: Case): string => `${JSON.stringify(text)} ${JSON.stringify(options)}`;

  it(`answers ${cases.length} calls alike`, async () => {
    let skipped = 0;
    for (const each of cases) {
      const { text, options, answer } = each;
      const given = await processor(text, options as never).catch((error: unknown) => error);
      // Words that the vocabulary lacks are refused here: nothing would be heard.
      if (given instanceof EngineError && /^holds no/.test(given.problem) && ++skipped < cases.length / 20) continue;
      if (answer === undefined) {
        expect(given, nameOf(each)).instanceOf(EngineError);
        expect((given as EngineError).code).equal("usage");
        continue;
      }
      if (given instanceof Error) throw new Error(`${nameOf(each)}: ${given.message}`);
      const entries = Object.entries(given as object).map(([key, value]) => [key, plain(value)]);
      expect(Object.fromEntries(entries), nameOf(each)).deep.equal(answer);
    }
  });

  it("turns ids back into text", () => {
    for (const { ids, options, text, batch } of decoded) {
      expect(processor.tokenizer.decode(ids, options), JSON.stringify([ids, options])).deep.equal(text);
      expect(processor.tokenizer.batch_decode(ids, options)).deep.equal(batch);
    }
  });
});
