/**
 * Loads and runs checkpoints of true size on this machine: `npm run check:sizes -- FOLDER [small] [large]`.
 * Writes synthetic ones to FOLDER where they are not there yet (1.7 GB and 4.5 GB), runs `bark say` on the small and a
 * semantic prefill with four steps on the large one, each with all sub-models on the GPU and with one at a time, and
 * prints peak memory and times. Not part of the tests.
 */
import "../checkpoint/node/index.ts";
import "../engine/node/index.ts";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { writeSyntheticCheckpoint } from "./synthetic.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

async function checkpoint(folder: string, size: "small" | "large"): Promise<string> {
  const target = path.resolve(folder, size === "small" ? "bark-small" : "bark");
  if (!existsSync(path.join(target, "model.safetensors"))) {
    console.log(`writing a synthetic Bark ${size} to ${target}`);
    await writeSyntheticCheckpoint(target, size);
  }
  return target;
}

interface Finished {
  stdout: string;
  /** Largest resident set of the process, bytes. On a software adapter it holds the GPU's buffers too. */
  peakRss: number;
}

/** Runs a script of this repository with tsx, its progress shown. */
async function run(script: string, args: readonly string[]): Promise<Finished> {
  const child = spawn(process.execPath, ["--import", "tsx", path.join(root, script), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  let peakRss = 0;
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  // The kernel keeps the high-water mark; it is read while the process lives.
  const poll = setInterval(() => (peakRss = Math.max(peakRss, highWaterMark(child.pid))), 200);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearInterval(poll);
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return { stdout, peakRss };
}

function highWaterMark(pid: number | undefined): number {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0; // It ended between two looks.
  }
}

function report(size: string, { stdout, peakRss }: Finished): void {
  const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Record<string, unknown>;
  const gpuBytes = Number(result["peak_gpu_bytes"]);
  console.log(`\n${size}: ${JSON.stringify(result)}`);
  console.log(`  peak RSS ${toMebibytes(peakRss)} MiB, peak GPU bytes ${toMebibytes(gpuBytes)} MiB`);
  console.log(`  RSS beside the GPU's bytes (software adapter): ${toMebibytes(peakRss - gpuBytes)} MiB`);
}

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

const [folder, ...sizes] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: npm run check:sizes -- FOLDER [small] [large]   (6.2 GB are written there)");
  process.exit(2);
}
const wanted = sizes.length === 0 ? ["small", "large"] : sizes;
if (wanted.includes("small")) {
  const model = await checkpoint(folder, "small");
  const output = path.resolve(folder, "check_sizes.wav");
  const flags = ["--max-semantic-tokens", "20", "--greedy", "--dtype", "f32", "--json"];
  for (const memory of [[], ["--low-memory"]])
    report(
      ["bark-small", ...memory].join(" "),
      await run("cli/main.ts", ["say", "Hello, my dog is cute.", "-m", model, "-o", output, ...flags, ...memory]),
    );
}
if (wanted.includes("large")) {
  const model = await checkpoint(folder, "large");
  for (const memory of [[], ["low-memory"]])
    report(["bark", ...memory].join(" "), await run("tools/check_large.ts", [model, ...memory]));
}
