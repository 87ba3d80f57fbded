import { expect } from "chai";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { knownNames } from "../../bench/explain/job.ts";
import { laddersIn, withSections } from "../../bench/report/ladders.ts";
import { opPages } from "../../bench/report/op_pages.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("docs/kernels/ops", () => {
  it("is what `npx tsx bench/report/op_pages.ts` makes of shaders, results and counts", () => {
    const folder = path.join(root, "docs/kernels/ops");
    const pages = opPages(root);
    expect(readdirSync(folder).sort()).deep.equal([...pages.keys()].sort());
    for (const [name, text] of pages)
      // Not `equal`: a difference would fill the screen.
      expect(
        readFileSync(path.join(folder, name), "utf8") === text,
        `${name}: run npx tsx bench/report/op_pages.ts`,
      ).equal(true);
  });

  it("has the ladder of every op that the bench has, on lavapipe", () => {
    const ladders = laddersIn(readFileSync(path.join(root, "bench/RESULTS.md"), "utf8"));
    const ops = new Set(
      ladders.filter(({ title }) => title.includes("llvmpipe")).flatMap(({ rows }) => rows.map(({ op }) => op)),
    );
    expect([...ops]).include.members([...new Set([...knownNames().values()].map(({ op }) => op))]);
  });

  it("puts new tables in the place of those with their heading and command", () => {
    const section = (title: string, command: string, text: string): string =>
      `## ${title}\n\n\`\`\`sh\n${command}\n\`\`\`\n\n${text}\n`;
    const old = `# Old\n\nPreface.\n\n${section("A", "one", "1")}\n${section("A", "two", "2")}\n${section("B", "one", "3")}`;
    const added = `# New\n\nOf today.\n\n${section("A", "two", "4")}\n${section("C", "one", "5")}`;
    expect(withSections(old, added)).equal(
      `# New\n\nOf today.\n\n${section("A", "one", "1")}\n${section("A", "two", "4")}\n${section("B", "one", "3")}\n${section("C", "one", "5")}`,
    );
  });
});
