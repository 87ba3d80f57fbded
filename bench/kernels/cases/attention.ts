import { attention, attentionScratch } from "../../../kernels/attention/attention.ts";
import {
  attentionDecode,
  decodeScratch,
  type Attended,
  type OwnDecodeVersion,
} from "../../../kernels/attention/decode/decode.ts";
import { attentionDecodeLab } from "../../../kernels/attention/lab/versions.ts";
import { attentionReference } from "../../../kernels/attention/reference.ts";
import {
  attentionDecodeVersions,
  attentionVersions,
  type AttentionDecodeVersion,
  type AttentionVersion,
} from "../../../kernels/attention/versions.ts";
import { createLinear } from "../../../kernels/matmul/linear.ts";
import { matmul } from "../../../kernels/matmul/matmul.ts";
import { identityMatrix } from "../../../kernels/matmul/reference.ts";
import { noise } from "../../../kernels/self_test/noise.ts";
import { stateFields, stateWidth } from "../../../kernels/decode_state.ts";
import { labNames, rungOf } from "./lab.ts";
import type { Operation } from "./operation.ts";
import { poison, readRows, sampleOf, type KernelCase, type PreparedCase, type Scope } from "./case.ts";

const [heads, headDim] = [12, 64];
const width = heads * headDim;

/** Attention of a prefill (causal) or of the fine model, q, k and v inside one tensor [rows, 3 width]. */
export function attentionCase(rows: number, causal: boolean): KernelCase {
  const pairs = causal ? (rows * (rows + 1)) / 2 : rows * rows;
  return {
    op: "attention",
    shape: `${heads}×${headDim}, ${rows} rows, ${causal ? "causal" : "all"}`,
    versions: Object.keys(attentionVersions),
    flops: 4 * width * pairs,
    bytes: () => 4 * 4 * width * rows,
    prepare: (scope) => prepareMany(scope, rows, causal),
  };
}

function prepareMany(scope: Scope, rows: number, causal: boolean): PreparedCase {
  const values = noise(rows * 3 * width, 1, 2);
  const qkv = scope.tensorFrom("f32", values);
  const y = scope.tensor("f32", [rows, width]);
  const shape = { queries: rows, keys: rows, heads, headDim, causal };
  const scratch = attentionScratch(scope.gpu, { ...shape, version: "strips" });
  if (scratch !== undefined) scope.own(scratch);
  const part = (index: number) => ({ tensor: qkv, first: index * width, stride: 3 * width });
  return {
    copies: 1,
    record: (program, version) =>
      attention(program, part(0), part(1), part(2), y, {
        ...shape,
        scratch,
        ...(version === undefined ? {} : { version: version as AttentionVersion }),
      }),
    reset: () => poison(y),
    check: async (result) => {
      const some = sampleOf(rows, 5);
      const [k, v] = [1, 2].map((index) => partOf(values, rows, index));
      const expected = some.map((row) =>
        attentionReference(values.subarray(row * 3 * width, row * 3 * width + width), k, v, {
          queries: 1,
          keys: rows,
          heads,
          headDim,
          past: row,
          causal,
        }),
      );
      return [{ actual: await readRows(result ?? y, width, some), expected: expected.flatMap((row) => [...row]) }];
    },
    operation: () => operationOf(rows, causal, values),
  };
}

function operationOf(
  rows: number,
  causal: boolean,
  qkv: Float32Array<ArrayBuffer>,
  [pastK, pastV] = [new Float32Array(0), new Float32Array(0)],
): Operation {
  const past = pastK.length / width;
  return { kind: "attention", rows, past, heads, headDim, causal, qkv, pastK, pastV };
}

/** q, k or v (`index` 0, 1, 2) of [rows, 3 width]. */
function partOf(values: Float32Array, rows: number, index: number): Float32Array {
  const part = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++)
    part.set(values.subarray((row * 3 + index) * width, (row * 3 + index + 1) * width), row * width);
  return part;
}

/** Attention of one new token over the cache of `past` others. */
export function decodeCase(past: number): KernelCase {
  return {
    op: "attention",
    shape: `${heads}×${headDim}, decode, ${past} past`,
    versions: [...Object.keys(attentionDecodeVersions), ...labNames(attentionDecodeLab)],
    flops: 4 * width * (past + 1),
    bytes: () => 4 * width * (2 * past + 4),
    prepare: (scope) => prepareDecode(scope, past),
  };
}

async function prepareDecode(scope: Scope, past: number): Promise<PreparedCase> {
  const capacity = 1024;
  const [k, v] = [noise(capacity * width, 1, 2), noise(capacity * width, 2)];
  const qkv = noise(3 * width, 3, 2);
  const caches = await scope.uncached({ k: scope.tensorFrom("f32", k), v: scope.tensorFrom("f32", v) });
  const position = new Uint32Array(stateWidth);
  position[stateFields.position] = past;
  const state = scope.tensorFrom("u32", position);
  const shape = { rows: 1, heads, headDim, capacity };
  const scratch = scope.own(decodeScratch(scope.gpu, shape));
  const identity = scope.own(createLinear(scope.gpu, identityMatrix(width), width, width, "bench"));
  let attended: Attended | undefined;
  const y = scope.tensor("f32", [1, width]);
  const input = scope.tensorFrom("f32", qkv);
  return {
    copies: caches.length,
    record: (program, version, copy) => {
      const tensors = { qkv: input, state, cache: caches[copy], scratch, y };
      const forced =
        version === undefined
          ? {}
          : { version: rungOf<AttentionDecodeVersion, OwnDecodeVersion>(attentionDecodeLab, version) };
      attended = attentionDecode(program, tensors, { ...shape, ...forced });
    },
    reset: () => poison(y),
    check: async (result) => {
      k.set(qkv.subarray(width, 2 * width), past * width);
      v.set(qkv.subarray(2 * width), past * width);
      if (attended !== undefined && result === undefined) {
        const merge = scope.gpu.program("bench merge");
        matmul(merge, attended.parts, identity, y, { rows: 1, attended });
        await merge.run();
        merge.dispose();
      }
      const one = { queries: 1, keys: past + 1, heads, headDim, causal: false };
      const expected = attentionReference(qkv.subarray(0, width), k, v, one);
      return [{ actual: result ?? (await y.read()), expected }];
    },
    operation: () => operationOf(1, false, qkv, [k.slice(0, past * width), v.slice(0, past * width)]),
  };
}

export const attentionCases: readonly KernelCase[] = [
  decodeCase(512),
  attentionCase(256, true),
  attentionCase(887, true),
  attentionCase(1024, false),
];
