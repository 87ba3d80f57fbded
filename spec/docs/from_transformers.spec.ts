/** docs/from-transformers.md is a table of what the page of transformers promises: this runs what each row is shown by. */
import { expect } from "chai";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as library from "../../speech/node.ts";
import { EngineError } from "../../engine/errors.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { readRuns } from "../support/fixture.ts";
import { sharedGpu } from "../support/gpu.ts";

interface Row {
  readonly number: string;
  readonly item: string;
  readonly here: string;
  /** An expression that gives or throws something, or a spec. */
  readonly shown: string;
}

const states = ["same", "other name", "refused", "other"];
const rows = readFileSync("docs/from-transformers.md", "utf8")
  .split("\n")
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line): Row => {
    const [number, item, here, , ...shown] = line.split("|").slice(1, -1);
    return { number: number.trim(), item: item.trim(), here: here.trim(), shown: shown.join("|").trim() };
  });

interface KeywordCase {
  readonly kwargs: object;
}

/** Whether each of these keywords, with or without a prefix, is in a run of transformers that is repeated here. */
function held(...keywords: string[]): boolean {
  const folders = ["gap", "bias", "fields"].map((name) => `spec/fixtures/generate/${name}/cases.json`);
  const cases = folders.flatMap((file) => JSON.parse(readFileSync(file, "utf8")) as KeywordCase[]);
  const names = new Set(
    cases.flatMap(({ kwargs }) => Object.keys(kwargs).map((key) => key.replace(/^(semantic|coarse|fine)_/, ""))),
  );
  return keywords.every((keyword) => names.has(keyword));
}

const claimed = /^(`{1,2}) ?(.*?) ?\1 (gives|throws) `(.*)`$/;
const inSpec = /^\[(spec\/[\w/.]+\.spec\.ts)\]\(\.\.\/\1\)$/;

describe("docs/from-transformers.md", function () {
  this.timeout(120_000);
  let folder: string;
  let scope: Record<string, unknown>;
  const disposables: { dispose(): void }[] = [];

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-table-"));
    const gpu = await sharedGpu();
    const processor = await library.BarkProcessor.from_pretrained("models/nano", { onNotice: () => undefined });
    const model = await library.BarkModel.from_pretrained("models/nano", { gpu, onNotice: () => undefined });
    const tiny = await library.BarkModel.from_pretrained(await fixtureCheckpoint("odd"), {
      gpu,
      onNotice: () => undefined,
    });
    disposables.push(model, tiny);
    const { input_ids, attention_mask } = (await readRuns("odd")).runs[0];
    const few = { do_sample: false, fine_temperature: null, semantic_max_new_tokens: 4 };
    scope = {
      ...library,
      ...{ processor, model, tiny, few, folder, existsSync, held },
      inputs: await processor("Hello"),
      say: { input_ids, attention_mask, ...few },
      packageJson: JSON.parse(readFileSync("package.json", "utf8")) as object,
    };
  });
  after(() => {
    for (const each of disposables) each.dispose();
    rmSync(folder, { recursive: true });
  });

  async function evaluate(expression: string): Promise<unknown> {
    // The expressions are the document's; an import would not see the models above.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const run = new Function(...Object.keys(scope), `return (async () => (${expression}))()`) as (
      ...values: unknown[]
    ) => Promise<unknown>;
    return await run(...Object.values(scope));
  }

  it("has all 152 rows, each with one of the states, and with what shows it", () => {
    expect(rows.map(({ number }) => Number(number))).deep.equal(Array.from({ length: 152 }, (_, i) => i + 1));
    for (const { number, here, shown } of rows) {
      expect(states, `row ${number}`).include(here);
      expect(claimed.test(shown) || inSpec.test(shown), `row ${number}: ${shown}`).equal(true);
    }
  });

  for (const { number, item, shown } of rows) {
    const title = `${number} ${item}`;
    const spec = inSpec.exec(shown)?.[1];
    if (spec !== undefined) it(`${title}: ${spec}`, () => expect(existsSync(spec), `${spec} exists`).equal(true));
    else
      it(title, async () => {
        const [, , expression, verb, wanted] = claimed.exec(shown)!;
        const given = await evaluate(expression).catch((error: unknown) => error);
        if (verb === "throws") {
          expect(given, String(given)).instanceOf(EngineError);
          expect((given as EngineError).code, (given as EngineError).message).equal(wanted);
        } else {
          if (given instanceof Error) throw given;
          expect(JSON.stringify(given)).equal(wanted);
        }
      });
  }
});
