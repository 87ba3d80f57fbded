import { subgroupMatrix, type SubgroupMatrixNeeds } from "../../../engine/device/subgroup_matrix.ts";
import { defineKernel } from "../../../engine/kernel.ts";
import { gemm, gemmTiled, gemmTiledFlat, matmulVersions, type OwnMatmulVersion } from "../versions.ts";

/** {@link gemmTiled} with factors and sums of four products in f16. */
export const gemmHalf = defineKernel({
  ...gemmTiled,
  name: "matmul.gemm_half",
  source: new URL("./matmul_gemm_half.wgsl", import.meta.url),
  features: ["shader-f16"],
});

// A workgroup has 128 lanes, and matrix_16.wgsl and matrix_8_f32.wgsl count on four subgroups, matrix_8.wgsl on sixteen.
const half16 = { componentType: "f16", resultComponentType: "f32", M: 16, N: 16, K: 16, mostLanes: 32 } as const;
const half8 = { componentType: "f16", resultComponentType: "f32", M: 8, N: 8, K: 8, mostLanes: 8 } as const;
const single8 = { componentType: "f32", resultComponentType: "f32", M: 8, N: 8, K: 8, mostLanes: 32 } as const;

/** A tiled kernel by subgroup matrices. @param prelude says their sizes. */
const byMatrices = (
  tiled: typeof gemmTiled,
  name: string,
  prelude: URL,
  needs: SubgroupMatrixNeeds,
): typeof gemmTiled =>
  defineKernel({
    ...tiled,
    name,
    source: new URL("./matmul_gemm_matrix.wgsl", import.meta.url),
    preludes: [...(gemm.preludes ?? []), prelude, new URL("./subgroup_matrices.wgsl", import.meta.url)],
    features: [subgroupMatrix, "subgroups", ...(needs.componentType === "f16" ? (["shader-f16"] as const) : [])],
    subgroupMatrix: needs,
  });

/** {@link gemmTiled} by subgroup matrices of 16 x 16 in f16, as NVIDIA's GPUs have them. */
export const gemmMatrix16 = byMatrices(
  gemmTiled,
  "matmul.gemm_matrix_16",
  new URL("./matrix_16.wgsl", import.meta.url),
  half16,
);

/** {@link gemmTiled} by subgroup matrices of 8 x 8 in f16, as lavapipe has them. */
export const gemmMatrix8 = byMatrices(
  gemmTiled,
  "matmul.gemm_matrix_8",
  new URL("./matrix_8.wgsl", import.meta.url),
  half8,
);

/** {@link gemmTiledFlat} by subgroup matrices of 8 x 8 in f32, as Apple's GPUs have them. */
export const gemmMatrixF32 = byMatrices(
  gemmTiledFlat,
  "matmul.gemm_matrix_f32",
  new URL("./matrix_8_f32.wgsl", import.meta.url),
  single8,
);

/**
 * The rungs behind `gemm_tiled`, for GPUs whose f16 arithmetic or whose matrix units are faster: README.md in kernels/matmul
 * says what they cost.
 */
export const matmulLab = {
  gemm_half: { ...matmulVersions.gemm_tiled, kernels: [gemmHalf], error: 1e-3 },
  gemm_matrix_16: { ...matmulVersions.gemm_tiled, kernels: [gemmMatrix16], error: 1e-3 },
  gemm_matrix_8: { ...matmulVersions.gemm_tiled, kernels: [gemmMatrix8], error: 1e-3 },
  gemm_matrix_f32: { ...matmulVersions.gemm_tiled, kernels: [gemmMatrixF32], error: 1e-5 },
} as const satisfies Record<string, OwnMatmulVersion>;
