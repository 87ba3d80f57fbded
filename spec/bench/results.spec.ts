import { expect } from "chai";
import type { KernelReport } from "../../bench/report/reports.ts";
import type { Machine } from "../../bench/measure/machine.ts";
import { resultsMarkdown } from "../../bench/report/markdown.ts";

const here: Machine = { processor: "P", cores: 2, runtime: "Node 20", adapter: "A", software: true, features: [] };
const summary = { median: 2, lowerQuartile: 1, upperQuartile: 3, min: 1, count: 3 };
const untimed = {
  op: "matmul",
  shape: "qkv 768→2304, 1 row",
  version: "gemv",
  chosen: true,
  correct: true,
  error: 1e-7,
};
const timed = {
  ...untimed,
  timing: { clock: "wall", milliseconds: summary },
  gigaflops: 1.5,
  gigabytesPerSecond: 3,
  share: 0.25,
  bound: "loads",
} as const;

function kernels(machine: Partial<Machine>, args: readonly string[], format: KernelReport["format"] = "f32") {
  const roofline = { gigabytesPerSecond: 12, gigaflops: 50, dispatchMicroseconds: 20 };
  return { command: "kernels", args, machine: { ...here, ...machine }, format, roofline, results: [timed] } as const;
}

describe("bench results", () => {
  it("tells tables of several adapters and runtimes apart by their headings", () => {
    const markdown = resultsMarkdown([
      kernels({}, ["matmul", "--shape", "1 row"]),
      kernels({ adapter: "B", software: false }, ["matmul", "--device", "B", "--json"], "f16"),
      kernels({ runtime: "Deno 2" }, ["matmul"]),
      kernels({ runtime: "Chromium 147", adapter: "google" }, ["matmul", "--in-chromium"]),
    ]);
    expect(markdown.match(/^## .*$/gm)).deep.equal([
      "## Kernels, weights f32: A, Node 20",
      "## Kernels, weights f16: B, Node 20",
      "## Kernels, weights f32: A, Deno 2",
      "## Kernels, weights f32: google, Chromium 147",
    ]);
    expect(markdown.match(/^(npm|npx) .*$/gm)).deep.equal([
      'npm run bark -- bench kernels matmul --shape "1 row"',
      "npm run bark -- bench kernels matmul --device B",
      "npx deno run -A --no-lock bench/main.ts kernels matmul",
      "npm run bark -- bench kernels matmul --in-chromium",
    ]);
    expect(markdown).include(
      "| matmul | qkv 768→2304, 1 row | gemv **chosen** | 2.00 | 50 % | 1.5 | 3.00 | 25 % of loads | 1.00× |  |",
    );
  });

  it("says of a wrong kernel that it is wrong, and gives it no time", () => {
    const wrong = { ...kernels({}, ["matmul"]), results: [{ ...untimed, correct: false }] };
    expect(resultsMarkdown([wrong])).include("| gemv **chosen** | wrong result | ");
  });
});
