import { layernorm } from "../layernorm/layernorm.ts";
import { layernormReference } from "../layernorm/reference.ts";
import { layernormVersions, type LayernormVersion } from "../layernorm/versions.ts";
import { rounding, type SelfTestCase } from "./case.ts";
import { noise } from "./noise.ts";

function normalisation(version: LayernormVersion): SelfTestCase {
  const [rows, width] = [9, version === "thread" ? 100 : 101];
  return {
    kernel: layernormVersions[version].kernels[0],
    tolerance: rounding,
    record(scope) {
      const x = noise(rows * width, 1, 2);
      const weight = noise(width, 2);
      const bias = noise(width, 3);
      const y = scope.f32(new Float32Array(rows * width));
      const norm = { weight: scope.f32(weight), bias: scope.f32(bias) };
      layernorm(scope.commands, scope.f32(x), norm, y, { version });
      return [[y, layernormReference(x, weight, bias)]];
    },
  };
}

export const layernormCases = [normalisation("thread"), normalisation("workgroup")];
