import type { AnyKernel } from "../../engine/kernel.ts";
import { attention, attentionScratch } from "../attention/attention.ts";
import { attentionWeights } from "../attention/attention_weights.ts";
import { attentionDecode, decodeScratch, kvAppend } from "../attention/decode/decode.ts";
import { attentionReference, attentionWeightsReference } from "../attention/reference.ts";
import type { Rows } from "../attention/shape.ts";
import {
  attentionDecodeVersions,
  attentionVersions,
  attentionWeightsKernel,
  kvAppendKernel,
  type AttentionDecodeVersion,
  type AttentionVersion,
} from "../attention/versions.ts";
import { stateFields, stateWidth } from "../decode_state.ts";
import { createLinear } from "../matmul/linear.ts";
import { matmul } from "../matmul/matmul.ts";
import { identityMatrix } from "../matmul/reference.ts";
import { gemvSplitAttended } from "../matmul/versions.ts";
import { rounding, type SelfTestCase } from "./case.ts";
import { noise } from "./noise.ts";

const [heads, headDim] = [3, 8];
const width = heads * headDim;

/** Causal, after a past, with a masked key; the queries fill more than one tile, strip and workgroup. */
const manyQueries = (kernel: AnyKernel, version: AttentionVersion): SelfTestCase => ({
  kernel,
  tolerance: rounding,
  record(scope) {
    const [queries, keys] = [67, 69];
    const [q, k, v] = [noise(queries * width, 1, 2), noise(keys * width, 2, 2), noise(keys * width, 3)];
    const mask = new Uint32Array(keys).fill(1).fill(0, 4, 5);
    const y = scope.f32(new Float32Array(queries * width));
    const rows = (values: Float32Array<ArrayBuffer>): Rows => ({ tensor: scope.f32(values), first: 0, stride: width });
    const shape = { queries, keys, heads, headDim, past: keys - queries, causal: true };
    const scratch = attentionScratch(scope, { ...shape, version });
    attention(scope.commands, rows(q), rows(k), rows(v), y, { ...shape, mask: scope.u32(mask), scratch, version });
    return [[y, attentionReference(q, k, v, { ...shape, mask })]];
  },
});

/** Causal, after a past, with so much masked that the first queries see no key. */
const weights: SelfTestCase = {
  kernel: attentionWeightsKernel,
  tolerance: rounding,
  record(scope) {
    const [queries, keys] = [37, 39];
    const [q, k] = [noise(queries * width, 1, 2), noise(keys * width, 2, 2)];
    const mask = new Uint32Array(keys).fill(1).fill(0, 0, 5);
    const y = scope.f32(new Float32Array(heads * queries * keys));
    const rows = (values: Float32Array<ArrayBuffer>): Rows => ({ tensor: scope.f32(values), first: 0, stride: width });
    const shape = { queries, keys, heads, headDim, past: keys - queries, causal: true };
    attentionWeights(scope.commands, rows(q), rows(k), y, { ...shape, mask: scope.u32(mask) });
    return [[y, attentionWeightsReference(q, k, { ...shape, mask })]];
  },
};

/** Part 0, 1 or 2 (q, k or v) of one row of a qkv product. */
function part(qkv: Float32Array, row: number, index: number, size: number): Float32Array {
  return qkv.subarray((row * 3 + index) * size, (row * 3 + index + 1) * size);
}

/** One new token in each of two rows, which stand at different positions of their caches. */
const oneQuery = (version: AttentionDecodeVersion, kernel: AnyKernel): SelfTestCase => ({
  kernel,
  tolerance: rounding,
  record(scope) {
    const [rows, capacity] = [2, 7];
    const qkv = noise(rows * 3 * width, 1, 2);
    const [k, v] = [noise(rows * capacity * width, 2, 2), noise(rows * capacity * width, 3)];
    const positions = [3, 6];
    const state = new Uint32Array(rows * stateWidth);
    for (const [row, position] of positions.entries()) state[row * stateWidth + stateFields.position] = position;

    const cache = { k: scope.f32(k), v: scope.f32(v) };
    const shape = { rows, heads, headDim, capacity, version };
    const scratch = decodeScratch(scope, shape);
    const y = scope.f32(new Float32Array(rows * width));
    const tensors = { qkv: scope.f32(qkv), state: scope.u32(state), cache, scratch, y };
    const attended = attentionDecode(scope.commands, tensors, shape);
    if (attended !== undefined) {
      const identity = createLinear(scope, identityMatrix(width), width, width, "self test");
      matmul(scope.commands, attended.parts, identity, y, { rows, attended });
    }

    const expected = positions.flatMap((position, row) => {
      const first = row * capacity * width;
      const end = first + (position + 1) * width;
      k.set(part(qkv, row, 1, width), end - width);
      v.set(part(qkv, row, 2, width), end - width);
      const [keys, values] = [k.subarray(first, end), v.subarray(first, end)];
      const one = { queries: 1, keys: position + 1, heads, headDim, causal: false };
      return [...attentionReference(part(qkv, row, 0, width), keys, values, one)];
    });
    return [
      [y, expected],
      [cache.k, k],
      [cache.v, v],
    ];
  },
});

/** Copies rows into the middle of a cache, whose other rows stay as they were. */
const append: SelfTestCase = {
  kernel: kvAppendKernel,
  tolerance: 0,
  record(scope) {
    const [rows, size, firstRow, qkvRow] = [5, 37, 2, 3];
    const qkv = noise((qkvRow + rows) * 3 * size, 1);
    const [k, v] = [noise(9 * size, 2), noise(9 * size, 3)];
    const cache = { k: scope.f32(k), v: scope.f32(v) };
    kvAppend(scope.commands, scope.f32(qkv), cache, { rows, width: size, first: firstRow * size, qkvRow });
    for (let row = 0; row < rows; row++) {
      k.set(part(qkv, qkvRow + row, 1, size), (firstRow + row) * size);
      v.set(part(qkv, qkvRow + row, 2, size), (firstRow + row) * size);
    }
    return [
      [cache.k, k],
      [cache.v, v],
    ];
  },
};

const manyQueryVersions = Object.keys(attentionVersions) as AttentionVersion[];
const oneQueryVersions = Object.keys(attentionDecodeVersions) as AttentionDecodeVersion[];

export const attentionCases = [
  // The three kernels of `strips` make sense only together.
  ...manyQueryVersions.flatMap((version) =>
    attentionVersions[version].kernels.map((kernel) => manyQueries(kernel, version)),
  ),
  weights,
  ...oneQueryVersions.map((version) => oneQuery(version, attentionDecodeVersions[version].kernels[0])),
  // It makes sense only behind the parts that attention leaves.
  oneQuery("chunks", gemvSplitAttended),
  append,
];
