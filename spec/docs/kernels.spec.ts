/** docs/kernels/ten-minutes.md, followed word by word: its files are written, its commands run, in order. */
import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { blocksOf, nameOf, type Block } from "./blocks.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = "docs/kernels/ten-minutes.md";
const lines = readFileSync(path.join(root, page), "utf8").split("\n");
const tsx = import.meta.resolve("tsx");

/** What the commands mean in a checkout: the package is the sources. */
const commands = {
  npm: "exit 0",
  node: `exec ${process.execPath} --import ${tsx} "$@"`,
  npx: `[[ $1 == bark-webgpu ]] || exit 97\nexec ${process.execPath} --import ${tsx} ${path.join(root, "cli/main.ts")} "\${@:2}"`,
};

describe("A kernel in ten minutes", function () {
  this.timeout(300_000);
  let folder: string;

  before(function () {
    if (process.platform === "win32") this.skip(); // bash
    mkdirSync(path.join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(path.join(root, ".cache/kernel-"));
    for (const [name, text] of Object.entries(commands)) {
      const file = path.join(folder, "bin", name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, `#!/usr/bin/env bash\n${text}\n`);
      chmodSync(file, 0o755);
    }
    // As npm init writes: without it Node would find the checkout's, which has the package's name.
    writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "own" }));
    const installed = path.join(folder, "node_modules/bark-webgpu");
    mkdirSync(installed, { recursive: true });
    const exports = { "./engine": "./engine.mjs" };
    writeFileSync(
      path.join(installed, "package.json"),
      JSON.stringify({ name: "bark-webgpu", type: "module", exports }),
    );
    writeFileSync(path.join(installed, "engine.mjs"), `export * from ${JSON.stringify(`${root}engine/node.ts`)};\n`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const block of blocksOf(root, page))
    it(nameOf(block).slice(page.length + 1), function () {
      if (block.language === "sh") return run(block, folder);
      const name = fileOf(block);
      expect(name, "the name of its file, in the line before").to.be.a("string");
      writeFileSync(path.join(folder, name!), `${block.text}\n`);
    });

  it("leaves a plot in which its kernel is a rung", () => {
    expect(readFileSync(path.join(folder, "norm.svg"), "utf8")).include("norm (own)");
    expect(existsSync(path.join(folder, "norm_four.wgsl"))).equal(true);
  });
});

function run({ text }: Block, cwd: string): void {
  const env = { ...process.env, PATH: `${path.join(cwd, "bin")}:${process.env["PATH"]}` };
  const { status, stdout, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", text], {
    cwd,
    env,
    encoding: "utf8",
  });
  expect(status, stdout + stderr).equal(0);
  if (text.includes("bench kernels"))
    expect(stdout)
      .match(/norm \(own\) .*×/)
      .and.not.match(/WRONG|FAILED/);
  if (text.includes("bench explain")) expect(stdout).match(/layernorm\.norm_four.* SPIR-V/);
}

/** The file that the paragraph before a block names. */
function fileOf({ line }: Block): string | undefined {
  const before = lines.slice(0, line - 2).findLast((text) => text !== "");
  return before === undefined ? undefined : /`([\w.]+\.(?:wgsl|mjs))`:$/.exec(before)?.[1];
}
