import type { AnyKernel } from "../../engine/kernel.ts";
import { layernormReference } from "../layernorm/reference.ts";
import { createLinear, roundTo } from "../matmul/linear.ts";
import { matmul } from "../matmul/matmul.ts";
import { matmulReference } from "../matmul/reference.ts";
import { matmulVersions, normedVersions, type NormedVersion, type PlainVersion } from "../matmul/versions.ts";
import { rounding, type SelfTestCase } from "./case.ts";
import { noise } from "./noise.ts";

function product(version: PlainVersion, inner: number): SelfTestCase {
  return caseOf(version, matmulVersions[version].kernels[0], inner, false);
}

function normedProduct(version: NormedVersion, inner: number): SelfTestCase {
  return caseOf(version, normedVersions[version].kernels[0], inner, true);
}

/** y += gelu(x W + bias), of x as it is or of its layer norm. */
function caseOf(
  version: PlainVersion | NormedVersion,
  kernel: AnyKernel,
  inner: number,
  normed: boolean,
): SelfTestCase {
  // More than one workgroup of any version.
  const [rows, columns] = [67, 133];
  return {
    kernel,
    tolerance: rounding,
    record(scope) {
      const x = noise(rows * inner, 1);
      const weight = noise(columns * inner, 2, 0.5);
      const bias = noise(columns, 3);
      const residual = noise(rows * columns, 4);
      const normWeight = noise(inner, 5);
      const normBias = noise(inner, 6);

      const linear = createLinear(scope, weight, columns, inner, "self test", {
        format: scope.matrixFormat,
        storage: scope.matrixFormat,
      });
      const y = scope.f32(residual);
      matmul(scope.commands, scope.f32(x), { ...linear, bias: scope.f32(bias) }, y, {
        version,
        gelu: true,
        accumulate: true,
        ...(normed ? { norm: { weight: scope.f32(normWeight), bias: scope.f32(normBias) } } : {}),
      });

      const input = normed ? layernormReference(x, normWeight, normBias) : x;
      const options = { bias, gelu: true, residual };
      const stored = roundTo(weight, columns, inner, scope.matrixFormat);
      return [[y, matmulReference(input, stored, rows, inner, columns, options)]];
    },
  };
}

export const matmulCases = [
  product("plain", 37),
  product("gemv", 36),
  normedProduct("gemv", 36),
  product("gemv_shuffle", 36),
  normedProduct("gemv_shuffle", 36),
  product("gemv_broadcast", 36),
  product("gemv_rows", 36),
  product("gemv_split", 36),
  normedProduct("gemv_split", 36),
  product("gemm", 36),
  product("gemm_broadcast", 36),
  product("gemm_wide", 36),
  product("gemm_tiled", 36),
  product("gemm_tiled_flat", 36),
];
