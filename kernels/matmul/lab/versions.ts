import { defineKernel } from "../../../engine/kernel.ts";
import { gemmTiled, matmulVersions, type OwnMatmulVersion } from "../versions.ts";

/** {@link gemmTiled} with factors and sums of four products in f16. */
export const gemmHalf = defineKernel({
  ...gemmTiled,
  name: "matmul.gemm_half",
  source: new URL("./matmul_gemm_half.wgsl", import.meta.url),
  features: ["shader-f16"],
});

/** The rung behind `gemm_tiled`, for GPUs whose f16 arithmetic is faster: README.md in kernels/matmul says what it costs. */
export const matmulLab = {
  gemm_half: { ...matmulVersions.gemm_tiled, kernels: [gemmHalf], error: 1e-3 },
} as const satisfies Record<string, OwnMatmulVersion>;
