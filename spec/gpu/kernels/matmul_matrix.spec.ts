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
import { expectClose, noise, worstDifference } from "../../support/close.ts";
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
const coarseNoise: typeof noise = (count, seed) => noise(count, seed).map((value) => Math.round(value * 64) / 64);

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

const isHalf = ({ kernels }: OwnMatmulVersion): boolean => kernels[0].features?.includes("shader-f16") ?? false;
const largestOf = (values: Float64Array): number => Math.max(...values.map(Math.abs));

describe("matmul by subgroup matrices", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  interface Multiplied {
    readonly actual: Float32Array;
    readonly expected: Float64Array;
  }

  /** y with one row more than it has to have, which stays as it is. */
  async function multiply(
    version: OwnMatmulVersion,
    { height, inner, columns, ...options }: Shape,
    format: (typeof formats)[number],
    values: typeof noise = noise,
  ): Promise<Multiplied> {
    const { firstRow = 0, rows = height - firstRow, columnRange = [0, columns], gelu = false } = options;
    const [host, weight] = [values(height * inner, 1), values(columns * inner, 2)];
    const [bias, before] = [noise(columns, 3), noise((rows + 1) * columns, 4)];
    const actual = await Scope.during(gpu, async (scope) => {
      const linear = createLinear(scope, weight, columns, inner, "weight", { format, bias });
      const x = scope.tensorFrom("f32", [height, inner], host, "x");
      const y = scope.tensorFrom("f32", [rows + 1, columns], before, "y");
      const program = scope.program("matmul by subgroup matrices");
      matmul(program, x, linear, y, { ...options, version });
      await program.run();
      return (await y.read()) as Float32Array;
    });
    const rounded = roundTo(weight, columns, inner, format);
    const residual = options.accumulate ? { residual: before } : {};
    const own = { bias, gelu, ...residual };
    const product = matmulReference(host.subarray(firstRow * inner), rounded, rows, inner, columns, own);
    const [first, past] = [Math.floor(columnRange[0] / 4) * 4, Math.ceil(columnRange[1] / 4) * 4];
    const expected = Float64Array.from(before, (value, i) =>
      i < product.length && i % columns >= first && i % columns < past ? product[i] : value,
    );
    return { actual, expected };
  }

  async function check(version: OwnMatmulVersion, format: (typeof formats)[number]): Promise<void> {
    for (const shape of shapes) {
      const { actual, expected } = await multiply(version, shape, format, coarseNoise);
      // A scale times an integer is no value of f16.
      const isRounded = format === "q8" && isHalf(version);
      const tolerance = isRounded ? { absolute: 1e-3 * largestOf(expected) } : { absolute: 4e-6, relative: 2e-6 };
      expectClose(actual, expected, tolerance, JSON.stringify(shape));
    }
  }

  /** Of factors that f16 rounds: off by what README.md says, which is far from what f32 would be. */
  async function checkError(version: OwnMatmulVersion): Promise<void> {
    const { actual, expected } = await multiply(version, { height: 64, inner: 768, columns: 64 }, "f32");
    const error = worstDifference(actual, expected) / largestOf(expected);
    if (isHalf(version)) expect(error).within(5e-5, 5e-4);
    else expect(error).below(5e-6);
  }

  for (const kernel of [gemmMatrix16, gemmMatrix8, gemmMatrixF32]) {
    const { name, subgroupMatrix: matrices } = kernel;
    const emulation = emulated(kernel);
    const real = Object.values<OwnMatmulVersion>(matmulLab).find(({ kernels }) => kernels[0] === kernel)!;
    for (const format of formats) {
      it(`${name}, ${format}, the builtins emulated: edges, ranges, bias, GELU, what y held`, async function () {
        if (!gpu.supports(emulation.kernels[0])) return this.skip();
        if (gpu.device.adapterInfo.subgroupMaxSize > matrices!.mostLanes) return this.skip();
        await check(emulation, format);
        if (format === "f32") await checkError(emulation);
      });

      it(`${name}, ${format}, by the device's matrices`, async function () {
        if (!gpu.supports(kernel)) return this.skip();
        await check(real, format);
        if (format === "f32") await checkError(real);
      });
    }
  }

  it("is refused with what the device lacks", async function () {
    if (gpu.supports(gemmMatrix16)) return this.skip();
    const line = (await engineErrorOf(() => check(matmulLab.gemm_matrix_16, "f32"))).toLine();
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
