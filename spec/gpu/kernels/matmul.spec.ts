import { Scope } from "../../../engine/scope.ts";
import { expect } from "chai";
import type { Gpu } from "../../../engine/gpu.ts";
import type { MatrixFormat } from "../../../engine/dtypes.ts";
import { gelu } from "../../../kernels/math.ts";
import { createLinear, roundTo } from "../../../kernels/matmul/linear.ts";
import { matmul, type MatmulOptions } from "../../../kernels/matmul/matmul.ts";
import { layernormReference } from "../../../kernels/layernorm/reference.ts";
import { matmulReference } from "../../../kernels/matmul/reference.ts";
import {
  matmulVersions,
  normedVersions,
  type NormedVersion,
  type PlainVersion,
} from "../../../kernels/matmul/versions.ts";
import { expectClose, noise } from "../../support/close.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { sharedGpu } from "../../support/gpu.ts";

const versions = Object.keys(matmulVersions) as PlainVersion[];
const formats = ["f32", "f16", "q8"] as const;
const tolerance = { absolute: 4e-6, relative: 2e-6 };

describe("matmul", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  interface Case extends Omit<MatmulOptions, "norm"> {
    /** Normalise x in front, with or without a bias of the norm. */
    norm?: "plain" | "bias";
    inner: number;
    columns: number;
    /** Rows of x. */
    height: number;
    bias?: boolean;
    format?: MatrixFormat;
    /** How the weights lie; default: as their format. */
    storage?: MatrixFormat;
    /** Instead of noise. */
    given?: { x: Float32Array<ArrayBuffer>; weight?: Float32Array<ArrayBuffer> };
  }

  /** Multiplies on the GPU into a y that held noise; gives y and what it should be. */
  async function multiply(shape: Case): Promise<{ actual: Float32Array; expected: Float64Array }> {
    const { inner, columns, height, bias, norm, given, format = "f32", storage = format, ...options } = shape;
    const host = {
      x: given?.x ?? noise(height * inner, 1),
      weight: given?.weight ?? noise(columns * inner, 2, 0.5),
      bias: bias ? noise(columns, 3) : undefined,
      y: noise(height * columns, 4),
      normWeight: noise(inner, 5),
      normBias: norm === "bias" ? noise(inner, 6) : undefined,
    };
    // Far from zero, where a variance in one pass would cancel.
    if (norm !== undefined && given === undefined) host.x = host.x.map((value) => value + 30);
    const scope = new Scope(gpu);
    const linear = createLinear(scope, host.weight, columns, inner, "weight", { format, storage, bias: host.bias });
    const x = gpu.tensorFrom("f32", [height, inner], host.x, "x");
    const y = gpu.tensorFrom("f32", [height, columns], host.y, "y");
    const program = gpu.program("matmul");
    const normTensors = {
      weight: gpu.tensorFrom("f32", [inner], host.normWeight, "norm weight"),
      bias: host.normBias && gpu.tensorFrom("f32", [inner], host.normBias, "norm bias"),
    };
    matmul(program, x, linear, y, { ...options, ...(norm === undefined ? {} : { norm: normTensors }) });
    await program.run();
    const actual = (await y.read()) as Float32Array;
    program.dispose();
    scope.dispose();
    normTensors.weight.dispose();
    normTensors.bias?.dispose();
    x.dispose();
    y.dispose();

    const firstRow = options.firstRow ?? 0;
    const rows = options.rows ?? height - firstRow;
    const product = matmulReference(
      (norm === undefined ? host.x : layernormReference(host.x, host.normWeight, host.normBias)).subarray(
        firstRow * inner,
      ),
      roundTo(host.weight, columns, inner, format),
      rows,
      inner,
      columns,
      {
        ...(host.bias ? { bias: host.bias } : {}),
        ...(options.gelu ? { gelu: true } : {}),
        ...(options.accumulate ? { residual: host.y } : {}),
      },
    );
    const [start, end] = options.columnRange ?? [0, columns];
    const [first, past] = [Math.floor(start / 4) * 4, Math.ceil(end / 4) * 4];
    const expected = Float64Array.from(host.y, (before, i) => {
      const column = i % columns;
      return i < rows * columns && column >= first && column < past ? product[i] : before;
    });
    return { actual, expected };
  }

  async function check(asked: Case): Promise<void> {
    // One version alone takes inner widths that are no multiples of four.
    const shape = asked.version === "plain" ? asked : { ...asked, inner: Math.ceil(asked.inner / 4) * 4 };
    const what = JSON.stringify(shape);
    const { actual, expected } = await multiply(shape);
    // The mean of values near 30 is known to about 1e-5.
    expectClose(actual, expected, shape.norm === undefined ? tolerance : { absolute: 1e-4 }, what);
  }

  for (const version of versions) {
    /** Skips, where a version needs a feature that this device lacks. */
    const test = (title: string, run: () => Promise<void>): void =>
      void it(`${version}, ${title}`, async function () {
        if (!gpu.supports(matmulVersions[version].kernels[0])) return this.skip();
        await run();
      });

    for (const format of formats) {
      test(`${format}: odd rows, inner and columns`, async () => {
        for (const inner of [1, 3, 15, 64, 100])
          for (const columns of [1, 3, 30, 33, 130]) {
            // The split over lanes is slow on software adapters: many rows only where lanes are left over.
            const heights = inner === 15 || columns === 33 ? [1, 2, 7, 17, 65] : [1, 2, 9];
            for (const height of heights)
              await check({ version, format, height, inner, columns, bias: (height + inner + columns) % 2 === 0 });
          }
      });

      test(`${format}: leaves the columns outside a range as they were`, async () => {
        const columnRanges = [
          [0, 4],
          [4, 8],
          [5, 6],
          [30, 33],
          [0, 33],
          [12, 32],
        ] as const;
        for (const columnRange of columnRanges)
          for (const height of [1, 9])
            await check({ version, format, height, inner: 15, columns: 33, bias: true, columnRange });
        await check({ version, format, height: 3, inner: 7, columns: 300, columnRange: [160, 299] });
      });

      test(`${format}: some rows of x, which become the first of y`, async () => {
        await check({ version, format, height: 9, inner: 15, columns: 30, firstRow: 8 });
        await check({ version, format, height: 20, inner: 15, columns: 30, firstRow: 3, rows: 10 });
        await check({ version, format, height: 20, inner: 15, columns: 30, rows: 1, bias: true });
      });

      test(`${format}: bias, then GELU, then what y held`, async () => {
        for (const bias of [false, true])
          for (const withGelu of [false, true])
            for (const accumulate of [false, true])
              await check({ version, format, height: 7, inner: 15, columns: 33, bias, gelu: withGelu, accumulate });
      });
    }

    test("does not round a long sum away", async () => {
      const { actual, expected } = await multiply({ version, height: 2, inner: 4096, columns: 5 });
      expectClose(actual, expected, { absolute: 2e-4 });
    });

    test("keeps rows apart: what is infinite in one stays out of the others", async () => {
      const inner = version === "plain" ? 6 : 8;
      const x = Float32Array.from({ length: 3 * inner }, (_, i) => (Math.floor(i / inner) === 1 ? Infinity : 1));
      const { actual } = await multiply({
        version,
        height: 3,
        inner,
        columns: 2,
        given: { x, weight: new Float32Array(2 * inner).fill(1) },
      });
      expect(Array.from(actual)).deep.equal([inner, inner, Infinity, Infinity, inner, inner]);
    });
  }

  for (const version of Object.keys(normedVersions) as NormedVersion[]) {
    const test = (title: string, run: () => Promise<void>): void =>
      void it(`${version} ${title}`, async function () {
        if (!gpu.supports(normedVersions[version].kernels[0])) return this.skip();
        await run();
      });

    for (const format of formats)
      test(`behind a layer norm, ${format}: with and without its bias`, async () => {
        for (const inner of [4, 16, 192, 2048])
          for (const norm of ["plain", "bias"] as const)
            await check({ version, format, height: 3, inner, columns: 133, norm, bias: true, gelu: inner === 16 });
        await check({ version, format, height: 4, firstRow: 2, rows: 1, inner: 32, columns: 9, norm: "plain" });
      });

    test("behind a layer norm keeps its precision beside great values", async () => {
      for (const places of [[0], [1], [130], [0, 2]]) {
        const x = noise(768, 1);
        for (const place of places) x[place] = 3000;
        const { actual, expected } = await multiply({
          version,
          height: 1,
          inner: 768,
          columns: 40,
          norm: "bias",
          given: { x },
        });
        // Two of the first three are what is taken off all of them.
        expectClose(actual, expected, { absolute: places.length === 1 ? 2e-5 : 5e-5 });
      }
    });
  }

  it("refuses a product that the forced version cannot do", async () => {
    for (const version of versions.filter((name) => name !== "plain"))
      expect((await engineErrorOf(() => multiply({ version, height: 2, inner: 15, columns: 4 }))).toLine())
        .include(`matmul.${version}`)
        .include("multiple of four, got 15");
    const normed = { version: "gemv", height: 1, inner: 2052, columns: 4, norm: "plain" } as const;
    expect((await engineErrorOf(() => multiply(normed))).toLine()).match(/matmul\.gemv.*2048.*got 2052/);
    const tile = { version: "gemm", height: 1, inner: 8, columns: 4, norm: "plain" } as const;
    expect((await engineErrorOf(() => multiply(tile))).toLine()).match(/no such version.*gemv, .*got gemm/);
  });

  it("gives the product of weights rounded to f16 or q8 however they lie", async () => {
    for (const format of ["f16", "q8"] as const)
      for (const storage of [format, "f32"] as const)
        await check({ format, storage, height: 1, inner: 70, columns: 30, bias: true });
  });

  it("chooses a version that is right for every number of rows", async () => {
    for (const height of [1, 2, 4, 5, 16, 17]) await check({ height, inner: 64, columns: 130, bias: true });
  });

  it("takes GELU to within 2e-6 of f64 over [-10, 10]", async () => {
    const inputs = Float32Array.from({ length: 20001 }, (_, i) => (i - 10000) / 1000);
    const x = gpu.tensorFrom("f32", [inputs.length, 1], inputs, "x");
    const y = gpu.tensor("f32", [inputs.length, 1], "y");
    const scope = new Scope(gpu);
    const linear = createLinear(scope, Float32Array.of(1), 1, 1, "identity");
    const program = gpu.program("gelu");
    matmul(program, x, linear, y, { gelu: true });
    await program.run();
    const actual = (await y.read()) as Float32Array;
    expectClose(actual, Float64Array.from(inputs, gelu), { absolute: 2e-6 });
    program.dispose();
    scope.dispose();
    x.dispose();
    y.dispose();
  });

  it("refuses a weight that is not of its layer's shape, naming both", () => {
    expect(() => createLinear(gpu, new Float32Array(11), 3, 4, "lm_head"))
      .throw("weight does not have the shape")
      .include({ code: "shape", where: "lm_head", expected: "[3, 4]", actual: "11 values" });
  });
});
