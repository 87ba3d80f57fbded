/** Kernels from outside the repository as rungs of `bench kernels`: one that is right, and every way of being wrong. */
import { expect } from "chai";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bench } from "../../bench/cli.ts";
import { withBoundsTested } from "../../bench/kernels/own/bounds.ts";
import { startInChromium } from "../../bench/kernels/in_chromium.ts";
import { loadOwn } from "../../bench/kernels/own/load_own.ts";
import { ownFiles } from "../../bench/kernels/own/own_files.ts";
import { measureApart } from "../../bench/kernels/process/measure.ts";
import type { Start } from "../../bench/kernels/process/messages.ts";
import { startChild } from "../../bench/kernels/process/start_child.ts";
import type { KernelResult } from "../../bench/kernels/run.ts";
import { EngineError } from "../../engine/errors.ts";
import "../../engine/node/index.ts";
import { layernormThread } from "../../kernels/layernorm/versions.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const text = readFileSync(new URL("../../kernels/layernorm/layernorm_thread.wgsl", import.meta.url), "utf8");
const firstLoop = "for (var i = 0u; i < quads; i++) { sum += x[row + i]; }";

/** Faults by name: what is replaced in the shader by what, and how the line says so. */
const faults: Readonly<Record<string, readonly [from: string, to: string, line: RegExp]>> = {
  typo: ["let mean = sum", "let mean = summ", /own.*\/typo\.wgsl:25(:\d+)?\): .*summ.* in `let mean = summ/s],
  binding: [
    "read> weight",
    "read> wait",
    /\/binding\.wgsl:10\): declaration and WGSL disagree in `@group\(0\) @binding\(1\)/,
  ],
  params: ["eps: f32, ", "", /\/params\.wgsl:8\): declaration and WGSL disagree in `struct Params \{ rows: u32, width/],
  bounds: [
    "sum += x[row + i];",
    "sum += x[row + 2u * i];",
    /\/bounds\.wgsl:24\): index past the end in `for .* below 192, got 192/,
  ],
  feature: ["", "", /needs clip-distances \(expected clip-distances, got .*; take another adapter/],
  wrong: ["* scale *", "*", /^$/],
  endless: ["i++) { sum", "i += 0u) { sum", /did not end within 8 s .*\/endless\.wgsl:24 `for .* --limit SECONDS/],
};

async function measure(start: Start, given: string, limit: number): Promise<KernelResult[]> {
  const selection = { ops: ["layernorm"], shape: "768, 1 row", format: "f32" } as const;
  const ignored = { onMachine: () => undefined, onRoofline: () => undefined, onResult: () => undefined };
  const job = { selection, device: undefined, own: await ownFiles(given) };
  return [...(await measureApart(start, job, { limit }, ignored)).results];
}

describe("own kernels in bench kernels", function () {
  this.timeout(300_000);
  let folder: string;
  let results: KernelResult[];

  before(async () => {
    mkdirSync(path.join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(path.join(root, ".cache/own-"));
    expect(text).include(firstLoop);
    writeFileSync(path.join(folder, "right.wgsl"), text);
    for (const [name, [from, to]] of Object.entries(faults))
      writeFileSync(path.join(folder, `${name}.wgsl`), text.replace(from, to));
    writeFileSync(
      path.join(folder, "own.mjs"),
      `import { layernormThread } from ${JSON.stringify(`${root}kernels/layernorm/versions.ts`)};
      const one = (name, more) => ({ ...layernormThread, name, source: new URL(\`./\${name}.wgsl\`, import.meta.url), ...more });
      export default [
        ...${JSON.stringify(Object.keys(faults).filter((name) => name !== "feature"))}.map((name) => one(name)),
        one("feature", { features: ["clip-distances"] }),
        { ...one("right"), name: "drift", params: { rows: "u32" } },
      ];`,
    );
    const given = `${path.join(folder, "own.mjs")},thread=${path.join(folder, "right.wgsl")}`;
    results = await measure(startChild, given, 8000);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const resultOf = (name: string): KernelResult => results.find(({ version }) => version === `${name} (own)`)!;

  it("times one that is right, behind the versions of the library", () => {
    expect(results.slice(0, 2).map(({ version, correct }) => [version, correct])).deep.equal([
      ["workgroup", true],
      ["thread", true],
    ]);
    const { correct, chosen, timing, notice, bound } = resultOf("right");
    expect({ correct, chosen, notice, bound }).deep.equal({
      correct: true,
      chosen: false,
      notice: undefined,
      bound: "dispatch",
    });
    expect(timing?.milliseconds.median).above(0);
  });

  for (const [name, [, , line]] of Object.entries(faults))
    it(`tells in one line of: ${name}`, () => {
      const { correct, timing, failed = "" } = resultOf(name);
      expect([correct, timing]).deep.equal([false, undefined]);
      expect(failed).match(line).and.not.include("\n");
    });

  it("tells what a declaration that fits no version should be", () => {
    expect(resultOf("drift").failed)
      .include("declares what no version of layernorm does")
      .and.include("params { rows: u32, width: u32, eps: f32, has_bias: u32 }, got");
  });

  it("goes on behind one whose process it ended", () => {
    const names = results.map(({ version }) => version.replace(" (own)", ""));
    expect(names.indexOf("right")).above(names.indexOf("endless"));
  });

  it("refuses what is no kernel before anything runs", async () => {
    const empty = path.join(folder, "empty.mjs");
    writeFileSync(empty, "export default { name: 'a' };");
    const broken = path.join(folder, "broken.mjs");
    writeFileSync(broken, "export default nothing;");
    for (const [given, problem] of [
      [empty, /default export is no kernel .*no URL in `source`/],
      [broken, /broken\.mjs \(broken\.mjs:1:16\): cannot be imported: nothing is not defined/],
      [path.join(folder, "gone.mjs"), /gone\.mjs: no such file/],
      [
        `thread=${path.join(folder, "own.mjs")}`,
        /own\.mjs: a module declares its kernels itself; give .*own\.mjs alone/,
      ],
      [path.join(folder, "right.wgsl"), /a shader alone has no declaration; VERSION=/],
    ] as const) {
      const error: unknown = await ownFiles(given)
        .then(loadOwn)
        .catch((thrown: unknown) => thrown);
      expect(error).instanceOf(EngineError);
      expect((error as EngineError).toLine()).match(problem);
    }
    for (const [args, problem] of [
      [["matmull"], /matmull: no such op .*did you mean "matmul"\?/],
      [["layernorm", "--shape", "7 rows"], /no such shape; a part of one of: 768, 1 row; /],
      [["layernorm", "--limit", "0"], /--limit: wrong value/],
    ] as const) {
      const error: unknown = await bench(["kernels", ...args]).catch((thrown: unknown) => thrown);
      expect((error as EngineError).toLine()).match(problem);
    }
  });

  it("tests every index into storage and workgroup arrays, nested ones too, and no other", async () => {
    const source = path.join(folder, "indices.wgsl");
    writeFileSync(
      source,
      `@group(0) @binding(0) var<storage, read> x: array<u32>; // x[9]
var<workgroup> tile: array<vec4<f32>, 8>;
@group(0) @binding(1) var<uniform> params: Params;
fn f(i: u32) -> f32 { return tile[x[i]][1] + other.x[i]; }`,
    );
    const { kernel, sites } = await withBoundsTested({
      ...layernormThread,
      bindings: { x: layernormThread.bindings.x },
      source: new URL(`file://${source}`),
    });
    const code = decodeURIComponent(kernel.source.pathname);
    expect(code)
      .include("tile[bounds_check(u32(x[bounds_check(u32(i), arrayLength(&x), 0u)]), u32(8), 1u)][1] + other.x[i];")
      .and.include("// x[9]")
      .and.include("@binding(2) var<uniform> params")
      .and.include("@binding(1) var<storage, read_write> bounds_seen");
    expect(sites.map(({ array, line }) => [array, line])).deep.equal([
      ["x", 4],
      ["tile", 4],
    ]);
  });
});

describe("own kernels in bench kernels --in-chromium", function () {
  this.timeout(120_000);
  let folder: string;

  before(function () {
    if (process.platform !== "linux" || process.arch !== "x64") this.skip(); // npm's Chromium
    folder = mkdtempSync(path.join(tmpdir(), "bark own "));
    const [from, to] = faults["endless"];
    writeFileSync(path.join(folder, "right.wgsl"), text);
    writeFileSync(path.join(folder, "endless.wgsl"), text.replace(from, to));
    writeFileSync(
      path.join(folder, "endless.mjs"),
      `import { allKernels } from "bark-webgpu/kernels";
      const thread = allKernels.find(({ name }) => name === "layernorm.thread");
      export default { ...thread, name: "endless", source: new URL("./endless.wgsl", import.meta.url) };`,
    );
    writeFileSync(path.join(folder, "far.mjs"), `export { default } from "../far/far.mjs";`);
  });
  after(() => folder && rmSync(folder, { recursive: true, force: true }));

  it("times one from another folder, in another browser behind one that does not end", async () => {
    const given = `${path.join(folder, "endless.mjs")},thread=${path.join(folder, "right.wgsl")}`;
    const results = await measure(startInChromium("/bench/kernels/in_page.ts"), given, 5000);
    expect(results.map(({ version, correct }) => [version, correct])).deep.equal([
      ["workgroup", true],
      ["thread", true],
      ["endless (own)", false],
      ["right (own)", true],
    ]);
    expect(results[2].failed).match(/did not end within 5 s .*\/endless\.wgsl:24 `for /);
    expect(results[3].timing?.milliseconds.median).above(0);
  });

  it("names the file outside the module's folder that a module wants", async () => {
    const error: unknown = await measure(
      startInChromium("/bench/kernels/in_page.ts"),
      path.join(folder, "far.mjs"),
      5000,
    ).catch((thrown: unknown) => thrown);
    expect((error as EngineError).toLine()).match(/far\.mjs: cannot be imported: .* does not hold .*\/far\/far\.mjs$/);
  });

  it("refuses another process's time before anything runs", async () => {
    const error: unknown = await bench(["kernels", "layernorm", "--in-chromium", "--cpu"]).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as EngineError).toLine()).match(/^--cpu: Chromium computes in another process/);
  });
});
