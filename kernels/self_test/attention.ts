import type { AnyKernel } from "../../engine/kernel.ts";
import {
  attention,
  attentionKernel,
  attentionScratch,
  attentionTileKernel,
  attentionWideKernel,
  type AttentionVersion,
  type Rows,
} from "../attention/attention.ts";
import { attentionWeights, attentionWeightsKernel } from "../attention/attention_weights.ts";
import {
  attentionDecode,
  attentionDecodeVersions,
  decodeScratch,
  kvAppend,
  kvAppendKernel,
  type AttentionDecodeVersion,
} from "../attention/decode.ts";
import { attentionReference, attentionWeightsReference } from "../attention/reference.ts";
import { attentionScoresKernel, attentionSoftmaxKernel, attentionValuesKernel } from "../attention/strips.ts";
import { createLinear } from "../matmul/linear.ts";
import { gemvSplitAttended, matmul } from "../matmul/matmul.ts";
import { identityMatrix } from "../matmul/reference.ts";
import { stateFields, stateWidth } from "../state.ts";
import { rounding, type Case } from "./case.ts";
import { noise } from "./noise.ts";

const [heads, headDim] = [3, 8];
const width = heads * headDim;

/** Causal, after a past, with a masked key; the queries fill more than one tile, strip and workgroup. */
const manyQueries = (kernel: AnyKernel, version: AttentionVersion): Case => ({
  kernel,
  tolerance: rounding,
  record(bench) {
    const [queries, keys] = [67, 69];
    const [q, k, v] = [noise(queries * width, 1, 2), noise(keys * width, 2, 2), noise(keys * width, 3)];
    const mask = new Uint32Array(keys).fill(1).fill(0, 4, 5);
    const y = bench.f32(new Float32Array(queries * width));
    const rows = (values: Float32Array<ArrayBuffer>): Rows => ({ tensor: bench.f32(values), first: 0, stride: width });
    const shape = { queries, keys, heads, headDim, past: keys - queries, causal: true };
    const scratch = attentionScratch(bench, { ...shape, version });
    attention(bench.commands, rows(q), rows(k), rows(v), y, { ...shape, mask: bench.u32(mask), scratch, version });
    return [[y, attentionReference(q, k, v, { ...shape, mask })]];
  },
});

/** Causal, after a past, with so much masked that the first queries see no key. */
const weights: Case = {
  kernel: attentionWeightsKernel,
  tolerance: rounding,
  record(bench) {
    const [queries, keys] = [37, 39];
    const [q, k] = [noise(queries * width, 1, 2), noise(keys * width, 2, 2)];
    const mask = new Uint32Array(keys).fill(1).fill(0, 0, 5);
    const y = bench.f32(new Float32Array(heads * queries * keys));
    const rows = (values: Float32Array<ArrayBuffer>): Rows => ({ tensor: bench.f32(values), first: 0, stride: width });
    const shape = { queries, keys, heads, headDim, past: keys - queries, causal: true };
    attentionWeights(bench.commands, rows(q), rows(k), y, { ...shape, mask: bench.u32(mask) });
    return [[y, attentionWeightsReference(q, k, { ...shape, mask })]];
  },
};

/** Part 0, 1 or 2 (q, k or v) of one row of a qkv product. */
function part(qkv: Float32Array, row: number, index: number, size: number): Float32Array {
  return qkv.subarray((row * 3 + index) * size, (row * 3 + index + 1) * size);
}

/** One new token in each of two rows, which stand at different positions of their caches. */
const oneQuery = (version: AttentionDecodeVersion, kernel: AnyKernel = attentionDecodeVersions[version]): Case => ({
  kernel,
  tolerance: rounding,
  record(bench) {
    const [rows, capacity] = [2, 7];
    const qkv = noise(rows * 3 * width, 1, 2);
    const [k, v] = [noise(rows * capacity * width, 2, 2), noise(rows * capacity * width, 3)];
    const positions = [3, 6];
    const state = new Uint32Array(rows * stateWidth);
    for (const [row, position] of positions.entries()) state[row * stateWidth + stateFields.position] = position;

    const cache = { k: bench.f32(k), v: bench.f32(v) };
    const shape = { rows, heads, headDim, capacity, version };
    const scratch = decodeScratch(bench, shape);
    const y = bench.f32(new Float32Array(rows * width));
    const tensors = { qkv: bench.f32(qkv), state: bench.u32(state), cache, scratch, y };
    const attended = attentionDecode(bench.commands, tensors, shape);
    if (attended !== undefined) {
      const identity = createLinear(bench, identityMatrix(width), width, width, "self test");
      matmul(bench.commands, attended.parts, identity, y, { rows, attended });
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
const append: Case = {
  kernel: kvAppendKernel,
  tolerance: 0,
  record(bench) {
    const [rows, size, firstRow, qkvRow] = [5, 37, 2, 3];
    const qkv = noise((qkvRow + rows) * 3 * size, 1);
    const [k, v] = [noise(9 * size, 2), noise(9 * size, 3)];
    const cache = { k: bench.f32(k), v: bench.f32(v) };
    kvAppend(bench.commands, bench.f32(qkv), cache, { rows, width: size, first: firstRow * size, qkvRow });
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

export const attentionCases = [
  manyQueries(attentionKernel, "query"),
  manyQueries(attentionTileKernel, "tile"),
  manyQueries(attentionWideKernel, "wide"),
  // The three kernels of a strip only make sense together.
  ...[attentionScoresKernel, attentionSoftmaxKernel, attentionValuesKernel].map((kernel) =>
    manyQueries(kernel, "strips"),
  ),
  weights,
  ...(Object.keys(attentionDecodeVersions) as AttentionDecodeVersion[]).map((version) => oneQuery(version)),
  // It only makes sense behind the parts that attention leaves.
  oneQuery("chunks", gemvSplitAttended),
  append,
];
