/** Every command and snippet of README.md and docs/ is run, with the embedded checkpoint and few tokens. */
import { expect } from "chai";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { blocksOf, nameOf } from "./blocks.ts";
import { Workplace } from "./workplace.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const inDocs = readdirSync(path.join(root, "docs"), { recursive: true, encoding: "utf8" });
const files = [
  ...["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md", "models/nano/README.md"],
  ...inDocs.filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`),
];
const blocks = files.flatMap((file) => blocksOf(root, file));
/** Languages of blocks that nobody runs. */
const pictures = ["mermaid", "text"];

describe("documentation", function () {
  this.timeout(600_000);

  it("has a reason at every block that is not run, and no block of an unknown language", () => {
    for (const block of blocks.filter(({ language }) => !pictures.includes(language))) {
      if (block.notRun === undefined) expect(["sh", "ts"], nameOf(block)).include(block.language);
      else expect(block.notRun.length, nameOf(block)).above(20);
    }
  });

  it("links to files that are there", () => {
    for (const file of files)
      for (const [, target] of readFileSync(path.join(root, file), "utf8").matchAll(/\]\(([^)#]+)/g))
        if (!/^https?:/.test(target))
          expect(existsSync(path.resolve(root, path.dirname(file), target)), `${file}: ${target}`).equal(true);
  });

  it("has a README of at most 150 lines", () => {
    expect(readFileSync(path.join(root, "README.md"), "utf8").split("\n").length).within(50, 151);
  });

  describe("runs", function () {
    const runs = blocks.filter(({ language }) => !pictures.includes(language));
    let workplace: Workplace;
    before(async function () {
      // bash, SwiftShader for Deno.
      if (process.platform !== "linux" || process.arch !== "x64") this.skip();
      workplace = await Workplace.open(root);
    });
    after(async () => await (workplace as Workplace | undefined)?.close());

    it("TypeScript that fits the types of the library", async () => {
      const { code, output } = await workplace.checkTypes(runs.filter(({ language }) => language === "ts"));
      expect(code, output).equal(0);
    });

    for (const file of files) {
      const own = runs.filter((block) => block.file === file);
      if (own.length === 0) continue;
      describe(file, () => {
        let folder: string;
        before(async () => (folder = await workplace.folder()));
        for (const block of own) {
          const title = nameOf(block).slice(file.length + 1);
          if (block.notRun !== undefined) {
            it.skip(`${title} (${block.notRun})`);
            continue;
          }
          it(title, async () => {
            const { code, output } = await workplace.run(block, folder);
            expect(code, output).equal(0);
          });
        }
      });
    }
  });
});
