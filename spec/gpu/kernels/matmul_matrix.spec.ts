import { expect } from "chai";
import { hasSubgroupMatrix, subgroupMatrix } from "../../../engine/device/subgroup_matrix.ts";
import type { Gpu } from "../../../engine/gpu.ts";
import { defineKernel } from "../../../engine/kernel.ts";
import { Scope } from "../../../engine/scope.ts";
import { createLinear, roundTo } from "../../../kernels/matmul/linear.ts";
import { gemmMatrix16, gemmMatrix8, gemmMatrixF32, matmulLab } from "../../../kernels/matmul/lab/versions.ts";
import { matmul, type MatmulOptions } from "../../../kernels/matmul/matmul.ts";
import { matmulReference } from "../../../kernels/matmul/reference.ts";
import { matmulVersions, type OwnMatmulVersion } from "../../../kernels/matmul/versions.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";
import { engineErrorOf } from "../../support/rejection.ts";

interface Shape extends Pick<MatmulOptions, "rows" | "firstRow" | "gelu" | "accumulate" | "columnRange"> {
  readonly height: number;
  readonly inner: number;
  readonly columns: number;
}

/** Edges of tiles, chunks and groups; a range of columns; everything that follows the product. */
const shapes: readonly Shape[] = [
  { height: 1, inner: 4, columns: 3 },
  { height: 70, inner: 100, columns: 133, gelu: true, accumulate: true },
  { height: 37, inner: 64, columns: 75, firstRow: 2, rows: 33, columnRange: [5, 70] },
];
const formats = ["f32", "q8"] as const;

/** Noise of few bits, which f16 holds exactly. */
const coarseNoise = (count: number, seed: number): Float32Array<ArrayBuffer> =>
  noise(count, seed).map((value) => Math.round(value * 64) / 64);

/** The kernel with loops in place of the builtins, which are the last of its preludes. */
function emulated(kernel: typeof gemmMatrix16): OwnMatmulVersion {
  const { name, preludes = [], features = [] } = kernel;
  const own = defineKernel({
    ...kernel,
    name: name.replace("matmul.", "spec.emulated_"),
    preludes: [...preludes.slice(0, -1), new URL("../data/emulated_matrices.wgsl", import.meta.url)],
    features: features.filter((feature) => feature !== subgroupMatrix),
    subgroupMatrix: undefined,
  });
  return { ...matmulVersions.gemm_tiled, kernels: [own] };
}

describe("matmul by subgroup matrices", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  async function check(version: OwnMatmulVersion, shape: Shape, format: (typeof formats)[number]): Promise<void> {
    const { height, inner, columns, ...options } = shape;
    const { firstRow = 0, rows = height - firstRow, columnRange = [0, columns] } = options;
    const [host, weight] = [coarseNoise(height * inner, 1), coarseNoise(columns * inner, 2)];
    // One row more, which stays as it is.
    const [bias, before] = [noise(columns, 3), noise((rows + 1) * columns, 4)];
    const scope = new Scope(gpu);
    const program = gpu.program("matmul by subgroup matrices");
    let actual: Float32Array;
    try {
      const linear = createLinear(scope, weight, columns, inner, "weight", { format, bias });
      const x = scope.tensorFrom("f32", [height, inner], host, "x");
      const y = scope.tensorFrom("f32", [rows + 1, columns], before, "y");
      matmul(program, x, linear, y, { ...options, version });
      await program.run();
      actual = (await y.read()) as Float32Array;
    } finally {
      program.dispose();
      scope.dispose();
    }
    const product = matmulReference(
      host.subarray(firstRow * inner),
      roundTo(weight, columns, inner, format),
      rows,
      inner,
      columns,
      { bias, gelu: shape.gelu ?? false, ...(shape.accumulate ? { residual: before } : {}) },
    );
    const [first, past] = [Math.floor(columnRange[0] / 4) * 4, Math.ceil(columnRange[1] / 4) * 4];
    const expected = Float64Array.from(before, (value, i) =>
      i < product.length && i % columns >= first && i % columns < past ? product[i] : value,
    );
    // A scale times an integer is no value of f16.
    const isRounded = format === "q8" && version.kernels[0].features?.includes("shader-f16");
    const largest = Math.max(...expected.map(Math.abs));
    const tolerance = isRounded ? { absolute: 1e-3 * largest } : { absolute: 4e-6, relative: 2e-6 };
    expectClose(actual, expected, tolerance, JSON.stringify(shape));
  }

  for (const kernel of [gemmMatrix16, gemmMatrix8, gemmMatrixF32]) {
    const { name, subgroupMatrix: matrices } = kernel;
    const emulation = emulated(kernel);
    const real = Object.values<OwnMatmulVersion>(matmulLab).find(({ kernels }) => kernels[0] === kernel)!;
    for (const format of formats) {
      it(`${name}, ${format}, the builtins emulated: edges, ranges, bias, GELU, what y held`, async function () {
        if (!gpu.supports(emulation.kernels[0])) return this.skip();
        if (gpu.device.adapterInfo.subgroupMaxSize > matrices!.mostLanes) return this.skip();
        for (const shape of shapes) await check(emulation, shape, format);
      });

      it(`${name}, ${format}, by the device's matrices`, async function () {
        if (!gpu.supports(kernel)) return this.skip();
        for (const shape of shapes) await check(real, shape, format);
      });
    }
  }

  it("is refused with what the device lacks", async function () {
    if (gpu.supports(gemmMatrix16)) return this.skip();
    const line = (await engineErrorOf(() => check(matmulLab.gemm_matrix_16, shapes[0], "f32"))).toLine();
    expect(line)
      .include("matmul.gemm_matrix_16")
      .include("chromium-experimental-subgroup-matrix, subgroups, shader-f16")
      .include("f16 16x16x16 to f32 in subgroups of at most 32 lanes")
      .include(`got ${gpu.adapterName}`);
  });

  it("takes the matrices that an adapter lists, in subgroups that are small enough", () => {
    const needs = gemmMatrix16.subgroupMatrix!;
    const info = (subgroupMaxSize: number, ...subgroupMatrixConfigs: object[]): GPUAdapterInfo =>
      ({ subgroupMaxSize, subgroupMatrixConfigs }) as unknown as GPUAdapterInfo;
    expect(hasSubgroupMatrix(info(32, needs), needs)).equal(true);
    expect(hasSubgroupMatrix(info(32, { ...needs, K: 8 }, { ...needs }), needs)).equal(true);
    expect(hasSubgroupMatrix(info(64, needs), needs)).equal(false);
    expect(hasSubgroupMatrix(info(32, { ...needs, resultComponentType: "f16" }), needs)).equal(false);
    expect(hasSubgroupMatrix({} as GPUAdapterInfo, needs)).equal(false);
  });
});
