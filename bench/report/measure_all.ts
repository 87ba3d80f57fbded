/**
 * Measures everything that `bench/RESULTS.md` tells and writes it: `npx tsx bench/report/measure_all.ts [PYTHON]`, with
 * lavapipe as the default adapter if it is installed. Takes about an hour on two cores; what was measured stays in
 * `.cache/bench`, and is not measured again until it is deleted.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = path.join(root, ".cache/bench");
const main = path.join(root, "bench/main.ts");
const peers = path.join(root, "bench/peers/main.ts");
const python = process.argv[2] === undefined ? [] : ["--python", process.argv[2]];

/** File and arguments of each part, in the order of the results; names that begin with `peers` are of bench/peers, those that end in `-deno` run there. */
const parts: readonly (readonly [string, readonly string[]])[] = [
  ["peers", python],
  ["peers-swiftshader", ["decode", "codec75", "--device", "swiftshader", ...python]],
  ["generate", ["generate"]],
  ["generate-batch", ["generate", "--batch", "4"]],
  ["generate-100", ["generate", "--runs", "100", "--max-semantic-tokens", "10"]],
  ["readback", ["generate", "--readback", "8,1,4,16", "--runs", "7"]],
  ["readback-deno", ["generate", "--readback", "16,1,4,8,32", "--runs", "7"]],
  ["generate-small", ["generate", "--synthetic", "small", "--max-semantic-tokens", "20", "--runs", "1"]],
  ["encode", ["encode"]],
  ["kernels", ["kernels"]],
  ["kernels-f16", ["kernels", "matmul", "lstm", "--dtype", "f16"]],
  ["kernels-chromium", ["kernels", "matmul", "attention", "layernorm", "--in-chromium"]],
  ["kernels-swiftshader", ["kernels", "matmul", "attention", "layernorm", "--device", "swiftshader"]],
];

mkdirSync(folder, { recursive: true });
const files: string[] = [];
for (const [name, args] of parts) {
  const file = path.join(folder, `${name}.json`);
  if (!existsSync(file)) {
    console.error(`bench ${args.join(" ")}`);
    const deno = [path.join(root, "node_modules/deno/bin.cjs"), "run", "-A", "--no-lock"];
    const runtime = name.endsWith("-deno") ? deno : ["--import", import.meta.resolve("tsx")];
    const command = [...runtime, name.startsWith("peers") ? peers : main, ...args, "--json"];
    const { status, stdout } = spawnSync(process.execPath, command, {
      stdio: ["ignore", "pipe", "inherit"],
      maxBuffer: 1 << 26,
    });
    if (status !== 0) continue;
    writeFileSync(`${file}.tmp`, stdout);
    renameSync(`${file}.tmp`, file);
  }
  files.push(file);
}
const output = path.join(root, "bench/RESULTS.md");
const rendered = spawnSync(
  process.execPath,
  ["--import", import.meta.resolve("tsx"), main, "results", ...files, "-o", output],
  { stdio: "inherit" },
);
process.exitCode = rendered.status ?? 1;
