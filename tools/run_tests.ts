/**
 * `npm test`: static checks, then the specs in Node, Deno and Chromium, all on what npm installed. The last line is
 * `N passed, N failed, N skipped`. For development: `npm test -- --only static|node|cli|deno|chromium [mocha grep]`.
 */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { swiftShaderFolder } from "../engine/node/software/software_adapter.ts";
import { runInChromium } from "./test/chromium.ts";
import { runMocha, runNode } from "./test/child.ts";
import { addOutcomes, countLine, printFailure, type Outcome } from "./test/report.ts";

const root = path.resolve(import.meta.dirname, "..");
const mocha = "node_modules/mocha/bin/mocha.js";

const folders = "engine kernels checkpoint convert audio encodec bark speech server web cli bench tools spec".split(
  " ",
);
const imports = ["--config", ".dependency-cruiser.mjs", "--output-type", "err", ...folders];
const staticChecks = {
  "type check": ["node_modules/typescript/bin/tsc", "--noEmit", "--pretty", "false", "-p", "."],
  lint: ["node_modules/eslint/bin/eslint.js", "--max-warnings", "0", "."],
  "type check of bench/peers": [
    "node_modules/typescript/bin/tsc",
    "--noEmit",
    "--pretty",
    "false",
    "-p",
    "bench/peers",
  ],
  "imports point one way": ["node_modules/dependency-cruiser/bin/dependency-cruise.mjs", ...imports],
  "API reference": ["node_modules/typedoc/bin/typedoc", "--emit", "none"],
  format: ["node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."],
};

const parts = { static: runStaticChecks, node: runInNode, cli: runCommands, deno: runInDeno, chromium: runInBrowser };
type Part = keyof typeof parts;
/** Start processes again and again: the command, the blocks of the docs, workers, browsers, installed packages. */
const commandSpecs = ["spec/cli", "spec/docs", "spec/queue", "spec/web", "spec/package"];
// The parts of one line run side by side: each leaves a third of two cores idle.
const turns: readonly (readonly Part[])[] = [["static"], ["node", "cli"], ["deno", "chromium"]];

process.exitCode = await main();

async function main(): Promise<number> {
  process.chdir(root);
  const { only, grep } = readArguments();
  const outcomes: Outcome[] = [];
  for (const turn of turns) {
    const asked = turn.filter((part) => only === undefined || only === part);
    outcomes.push(...(await Promise.all(asked.map((part) => runPart(part, grep)))));
  }
  const total = addOutcomes(outcomes);
  console.log(countLine(total));
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

async function runPart(part: Part, grep: string | undefined): Promise<Outcome> {
  const began = performance.now();
  const outcome = await parts[part](grep).catch((error: unknown) => failed(part, error));
  console.log(`${part}: ${countLine(outcome)} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  return outcome;
}

function readArguments(): { only: Part | undefined; grep: string | undefined } {
  const { values, positionals } = parseArgs({ options: { only: { type: "string" } }, allowPositionals: true });
  if (values.only !== undefined && !(values.only in parts))
    throw new Error(`--only ${values.only}: expected one of ${Object.keys(parts).join(", ")}`);
  return { only: values.only as Part | undefined, grep: positionals[0] };
}

function failed(part: string, error: unknown): Outcome {
  printFailure(part, "(cannot run)", error instanceof Error ? (error.stack ?? error.message) : String(error));
  return { passed: 0, failed: 1, skipped: 0 };
}

async function runStaticChecks(): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, failed: 0, skipped: 0 };
  const left = Object.entries(staticChecks);
  const runNext = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [name, args] = next;
      const { code, output, exit } = await runNode(args);
      if (code === 0) outcome.passed++;
      else {
        outcome.failed++;
        printFailure("static", name, output || exit);
      }
    }
  };
  // Two at a time: each takes one core.
  await Promise.all([runNext(), runNext()]);
  return outcome;
}

async function runInNode(grep?: string): Promise<Outcome> {
  const specs = (await findSpecs("spec")).filter((spec) => !commandSpecs.includes(path.dirname(spec)));
  return await runMocha("node", [
    mocha,
    ...mochaArguments([...specs, "bench/peers/peers.spec.ts", "bench/peers/kernels/kernels.spec.ts"], grep),
  ]);
}

async function runCommands(grep?: string): Promise<Outcome> {
  const specs = await Promise.all(commandSpecs.map(findSpecs));
  return await runMocha("cli", [mocha, ...mochaArguments(specs.flat(), grep)]);
}

async function runInDeno(grep?: string): Promise<Outcome> {
  if (!isLinuxX64()) return skipRuntime("deno");
  const folder = await swiftShaderFolder();
  const args = [
    "node_modules/deno/bin.cjs",
    "run",
    "-A",
    "--no-lock",
    "--import-map=spec/deno_imports.json",
    mocha,
    "--config",
    "spec/mocha_deno.json",
  ];
  return await runMocha("deno", [...args, ...mochaArguments(await findSpecs("spec/gpu"), grep)], {
    LD_LIBRARY_PATH: folder,
    VK_DRIVER_FILES: path.join(folder, "vk_swiftshader_icd.json"),
    DENO_DIR: path.join(path.dirname(folder), "deno"),
    DENO_NO_UPDATE_CHECK: "1",
  });
}

async function runInBrowser(grep?: string): Promise<Outcome> {
  if (!isLinuxX64()) return skipRuntime("chromium");
  return await runInChromium(root, await findSpecs("spec/gpu"), grep);
}

async function findSpecs(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true });
  const specs = files.filter((file) => file.endsWith(".spec.ts")).sort();
  return specs.map((file) => `${folder}/${file.replaceAll(path.sep, "/")}`);
}

function mochaArguments(specs: string[], grep: string | undefined): string[] {
  return ["--reporter", "json-stream", ...(grep === undefined ? [] : ["--grep", grep]), ...specs];
}

// npm's software adapter and browser exist for this system alone.
function isLinuxX64(): boolean {
  return process.platform === "linux" && process.arch === "x64";
}

function skipRuntime(runtime: string): Outcome {
  console.log(`SKIPPED ${runtime}: its software adapter exists for Linux x64 alone`);
  return { passed: 0, failed: 0, skipped: 1 };
}
