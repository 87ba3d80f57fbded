import { layernorm, layernormVersions } from "../layernorm/layernorm.ts";
import { layernormReference } from "../layernorm/reference.ts";
import { rounding, type Case } from "./case.ts";
import { noise } from "./noise.ts";

function normalisation(version: keyof typeof layernormVersions): Case {
  const [rows, width] = [9, 101];
  return {
    kernel: layernormVersions[version],
    tolerance: rounding,
    record(bench) {
      const x = noise(rows * width, 1, 2);
      const weight = noise(width, 2);
      const bias = noise(width, 3);
      const y = bench.f32(new Float32Array(rows * width));
      const norm = { weight: bench.f32(weight), bias: bench.f32(bias) };
      layernorm(bench.commands, bench.f32(x), norm, y, { version });
      return [[y, layernormReference(x, weight, bias)]];
    },
  };
}

export const layernormCases = [normalisation("thread"), normalisation("workgroup")];
