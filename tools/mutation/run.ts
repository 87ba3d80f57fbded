/**
 * Mutates the host code and counts the changes that specs notice: `npm run check:mutations -- [part …]`, see README.md
 * beside this file. Installs Stryker into this folder at its first run. Not part of the tests.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { parts } from "./parts.mjs";

const folder = import.meta.dirname;
const root = path.resolve(folder, "../..");
const stryker = path.join(folder, "node_modules/@stryker-mutator/core/bin/stryker.js");

const asked = process.argv.slice(2);
for (const part of asked)
  if (!(part in parts)) throw new Error(`${part}: expected one of ${Object.keys(parts).join(", ")}`);
if (!existsSync(stryker)) run("npm", ["install", "--no-audit", "--no-fund"], folder);
for (const part of asked.length > 0 ? asked : Object.keys(parts))
  run(process.execPath, [stryker, "run", path.join(folder, "stryker.config.mjs")], root, { BARK_MUTATION_PART: part });

function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): void {
  const { status } = spawnSync(command, args, { cwd, env: { ...process.env, ...env }, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
