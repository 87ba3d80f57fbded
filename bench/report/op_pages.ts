/**
 * `docs/kernels/ops/`: a page for each op, from the heads of its shaders, the ladders in bench/RESULTS.md and the counts in
 * bench/explained.json: `npx tsx bench/report/op_pages.ts` writes them, a spec holds them against these sources.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { rows, type Counts, type Row } from "../explain/count.ts";
import type { Explained } from "./explained.ts";
import { laddersIn, type Ladder } from "./ladders.ts";

/** Folders of kernels/ that are no ops. */
const others = ["self_test"];
/** An op that runs on another's kernels, and whose rows stand on that one's page. */
const runsOn: Readonly<Record<string, string>> = { conv_transpose1d: "conv1d" };

/** Every page by its name, such as `matmul.md`. @param root the checkout. */
export function opPages(root: string): Map<string, string> {
  const ladders = laddersIn(readFileSync(path.join(root, "bench/RESULTS.md"), "utf8"));
  const explained = JSON.parse(readFileSync(path.join(root, "bench/explained.json"), "utf8")) as Explained;
  const folders = readdirSync(path.join(root, "kernels"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !others.includes(entry.name) && !Object.hasOwn(runsOn, entry.name))
    .map(({ name }) => name)
    .sort();
  const pages = folders.map((op) => [`${op}.md`, pageOf(root, op, ladders, explained)] as const);
  const list = folders.map((op) => `- [${op}](${op}.md): ${formulaOf(root, op)}`);
  const index = ["# A page for each op", "", made, "", ...list, ""].join("\n");
  return new Map([["README.md", index], ...pages]);
}

const made =
  "Made by `npx tsx bench/report/op_pages.ts` from the heads of the shaders, [bench/RESULTS.md](../../../bench/RESULTS.md) and " +
  "`bench/explained.json`; not edited by hand.";

function pageOf(root: string, op: string, ladders: readonly Ladder[], explained: Explained): string {
  const ops = [op, ...Object.keys(runsOn).filter((other) => runsOn[other] === op)];
  const own = ladders
    .map((ladder) => ({ ...ladder, rows: ladder.rows.filter((row) => ops.includes(row["op"])) }))
    .filter((ladder) => ladder.rows.length > 0);
  return [
    `# ${op}`,
    "",
    made,
    "",
    linksOf(root, op),
    "",
    "## Shaders",
    "",
    ...shadersOf(root, op).flatMap((file) => shaderLines(root, op, file)),
    "## Ladders",
    "",
    ...(own.length === 0 ? ["None is stored: `bench kernels` has no rows of this op.", ""] : own.flatMap(ladderLines)),
    ...countLines(op, explained),
  ].join("\n");
}

function linksOf(root: string, op: string): string {
  const files = ["README.md", "versions.ts", `${op}.ts`, "reference.ts"];
  const found = files.filter((file) => existsSync(path.join(root, "kernels", op, file)));
  return found.map((file) => `[${file}](../../../kernels/${op}/${file})`).join(" · ");
}

function shadersOf(root: string, op: string): string[] {
  return readdirSync(path.join(root, "kernels", op), { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => file.endsWith(".wgsl"))
    .sort();
}

function headOf(root: string, op: string, file: string): string[] {
  const lines = readFileSync(path.join(root, "kernels", op, file), "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines.slice(0, end).map((line) => line.replace(/^\/\/ ?/, ""));
}

/** What an op computes: as its README says, else the first words of its plainest shader. */
function formulaOf(root: string, op: string): string {
  const readme = path.join(root, "kernels", op, "README.md");
  const title = existsSync(readme) ? /^# \w+: (.*)$/m.exec(readFileSync(readme, "utf8"))?.[1] : undefined;
  const own = shadersOf(root, op).filter((file) => !file.includes("/"));
  const first = own.find((file) => file.startsWith(op)) ?? own[0];
  return `\`${title ?? headOf(root, op, first)[0].replace(/(, for |: ).*$/, "")}\``;
}

/** A shader's head: the words as they stand, its layout as code. */
function shaderLines(root: string, op: string, file: string): string[] {
  const head = headOf(root, op, file);
  const link = `### [\`${file}\`](../../../kernels/${op}/${file})`;
  return [link, "", "```text", ...head, "```", ""];
}

function ladderLines({ title, command, conditions, heads, rows: cells }: Ladder): string[] {
  const line = (values: readonly string[]): string => `| ${values.join(" | ")} |`;
  return [
    `### ${title}`,
    "",
    `\`${command}\`: ${conditions}`,
    "",
    line(heads),
    line(heads.map(() => "---")),
    ...cells.map((row) => line(heads.map((head) => row[head]))),
    "",
  ];
}

const shown: readonly Row[] = [
  "loads",
  "memory_loads",
  "stores",
  "fma",
  "multiply",
  "add",
  "branches",
  "loops",
  "barriers",
  "lanes",
  "calls",
  "instructions",
  "bytes",
];

/** Drivers' texts, counted: a row for each kernel and stage. */
function countLines(op: string, explained: Explained): string[] {
  const found = Object.entries(explained).filter(([name]) => name.startsWith(`${op}.`));
  if (found.length === 0) return [];
  const line = (values: readonly string[]): string => `| ${values.join(" | ")} |`;
  const seen = new Set<string>();
  const body = found.flatMap(([, { kernels }]) =>
    kernels.flatMap(({ kernel, stages }) => {
      if (seen.has(kernel)) return [];
      seen.add(kernel);
      return stages.map(({ name, counts }) => line([kernel, name, ...shown.map((row) => cell(counts, row))]));
    }),
  );
  return [
    "## What drivers make of it",
    "",
    `\`npx bark-webgpu bench explain ${found[0][0]}\` and so on, on ${found[0][1].adapter}: counted in the text, not in a run. Loops of machine code are ` +
      "jumps back.",
    "",
    line(["kernel", "stage", ...shown.map((row) => rows[row].replace(/ \(.*/, ""))]),
    line(["---", "---", ...shown.map(() => "---")]),
    ...body,
    "",
  ];
}

function cell(counts: Counts, row: Row): string {
  return counts[row] === undefined ? "" : String(counts[row]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const folder = path.join(root, "docs/kernels/ops");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of opPages(root)) writeFileSync(path.join(folder, name), text);
}
