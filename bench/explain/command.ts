import { fork } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { choiceFlag, parseCommandLine, requirePositionals } from "../../cli/command_line.ts";
import { EngineError, type ErrorCode } from "../../engine/errors.ts";
// Part of the build although it is started, never imported.
import type {} from "./child.ts";
import { rows, type Row } from "./count.ts";
import { loadOwn } from "../kernels/own/load_own.ts";
import { ownFiles } from "../kernels/own/own_files.ts";
import { readDriverTexts, type ExplainedKernel } from "./driver_texts.ts";
import { ended, readName, type ExplainJob } from "./job.ts";

/** What `bench explain --json` prints. */
export interface ExplainReport {
  readonly command: "explain";
  readonly args: readonly string[];
  readonly adapter: string;
  readonly format: string;
  readonly kernels: readonly ExplainedKernel[];
  /** Stages that cannot be had here, and why. */
  readonly missing: readonly string[];
}

/** `bark bench explain OP.VERSION`. */
export async function benchExplain(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine("bench explain", args, {
    shape: { type: "string" },
    dtype: { type: "string" },
    device: { type: "string" },
    with: { type: "string" },
    json: { type: "boolean" },
    text: { type: "boolean" },
  });
  requirePositionals("bench explain", positionals, 1, 1);
  const format = choiceFlag("dtype", values.dtype, ["f32", "f16", "q8"]) ?? "f32";
  const shape = values.shape ?? "";
  const own =
    values.with === undefined
      ? undefined
      : { given: values.with, versions: (await loadOwn(await ownFiles(values.with))).map(({ version }) => version) };
  const name = readName(positionals[0], shape, own);
  if (format === "q8" && name.op !== "matmul")
    throw new EngineError("usage", "only matmul has q8 weights", { where: "--dtype q8" });
  const { adapter, kernels } = await explain({ ...name, shape, format, device: values.device });
  const report: ExplainReport = {
    command: "explain",
    args,
    adapter,
    format,
    kernels,
    missing: missingOf(kernels, adapter),
  };
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(`${(values.text ? textOf(report) : tableOf(report)).join("\n")}\n`);
  return kernels.some(({ stages }) => stages.length > 0) ? 0 : 1;
}

/** Runs each kernel of a version once in a process whose drivers print what they make of it. */
export async function explain(job: ExplainJob): Promise<{ adapter: string; kernels: ExplainedKernel[] }> {
  const folder = await mkdtemp(path.join(tmpdir(), "bark-explain-"));
  try {
    // Files: Node makes its pipes such that a driver's text is cut where nobody has read the one before.
    const files = ["output", "errors"].map((name) => path.join(folder, name));
    const adapter = await run(job, files);
    const [output, errors] = await Promise.all(files.map((file) => readFile(file, "utf8")));
    return { adapter, kernels: readDriverTexts(output, errors) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @returns the adapter's name. */
async function run(job: ExplainJob, files: readonly string[]): Promise<string> {
  const isSource = import.meta.url.endsWith(".ts");
  const streams = files.map((file) => openSync(file, "w"));
  const child = fork(new URL(isSource ? "./child.ts" : "./child.js", import.meta.url), [], {
    stdio: ["ignore", ...streams, "ipc"],
    ...(isSource && !("Deno" in globalThis) ? { execArgv: ["--import", import.meta.resolve("tsx")] } : {}),
    // Of Mesa, a release build too: NIR and machine code, and no cache, from which nothing would be compiled.
    env: { ...process.env, LP_DEBUG: "cs", GALLIVM_DEBUG: "asm", MESA_SHADER_CACHE_DISABLE: "true" },
  });
  for (const stream of streams) closeSync(stream);
  let told: { adapter: string } | { code: ErrorCode; line: string } | undefined;
  const closed = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  child.on("message", (message) => {
    told = message as typeof told;
    // Alone the process would wait for its adapter's threads.
    child.send(ended);
  });
  child.send(job);
  const how = await closed;
  if (told === undefined)
    throw new EngineError("internal", `the process that explains ended: ${how}`, { where: job.op });
  if ("code" in told) throw new EngineError(told.code, told.line);
  return told.adapter;
}

function missingOf(kernels: readonly ExplainedKernel[], adapter: string): string[] {
  const has = (name: string): boolean => kernels.some(({ stages }) => stages.some((stage) => stage.name === name));
  const isMesa = /llvmpipe|lavapipe/i.test(adapter);
  return [
    ...(has("SPIR-V") ? [] : ["SPIR-V: Dawn prints it, in Node and on Vulkan"]),
    ...(has("NIR") && has("x86-64")
      ? []
      : [
          isMesa
            ? "NIR, x86-64: this build of Mesa does not heed LP_DEBUG=cs and GALLIVM_DEBUG=asm"
            : `NIR, x86-64: lavapipe prints them; ${adapter} does not: --device llvmpipe`,
        ]),
  ];
}

function tableOf({ adapter, format, kernels, missing }: ExplainReport): string[] {
  const width = Math.max(...Object.values(rows).map((name) => name.length));
  return [
    `${adapter}; weights ${format}; counted in the text, not in a run`,
    ...kernels.flatMap(({ kernel, stages }) => [
      "",
      kernel.padEnd(width) + stages.map(({ name }) => name.padStart(9)).join(""),
      ...(Object.keys(rows) as Row[])
        .filter((row) => stages.some(({ counts }) => counts[row] !== undefined))
        .map(
          (row) => rows[row].padEnd(width) + stages.map(({ counts }) => `${counts[row] ?? ""}`.padStart(9)).join(""),
        ),
    ]),
    ...(missing.length === 0 ? [] : ["", ...missing]),
  ];
}

function textOf({ kernels, missing }: ExplainReport): string[] {
  return [
    ...kernels.flatMap(({ kernel, stages }) => stages.map(({ name, text }) => `=== ${kernel}, ${name}\n${text}`)),
    ...missing,
  ];
}
