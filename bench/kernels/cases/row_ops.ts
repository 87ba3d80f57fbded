import { embedding } from "../../../kernels/embedding/embedding.ts";
import { embeddingReference } from "../../../kernels/embedding/reference.ts";
import { layernorm } from "../../../kernels/layernorm/layernorm.ts";
import { layernormReference } from "../../../kernels/layernorm/reference.ts";
import { layernormVersions, type LayernormVersion } from "../../../kernels/layernorm/versions.ts";
import { createWeights } from "../../../kernels/matmul/linear.ts";
import { sampleReference } from "../../../kernels/sample/reference.ts";
import { sampleRows, sampleStep, type SampleOptions } from "../../../kernels/sample/sample.ts";
import { noise } from "../../../kernels/self_test/noise.ts";
import { stateWidth } from "../../../kernels/decode_state.ts";
import { poison, readRows, sampleOf, takeRows, type KernelCase, type PreparedCase, type Scope } from "./case.ts";

const width = 768;
/** Positions of a GPT of Bark's. */
const places = 1024;

export function layernormCase(rows: number): KernelCase {
  return {
    op: "layernorm",
    shape: `${width}, ${rows} ${rows === 1 ? "row" : "rows"}`,
    versions: Object.keys(layernormVersions),
    flops: 0,
    bytes: () => 4 * (2 * rows * width + width),
    prepare(scope) {
      const [x, weight] = [noise(rows * width, 1, 2), noise(width, 2)];
      const norm = { weight: scope.tensorFrom("f32", weight), bias: undefined };
      const [input, y] = [scope.tensorFrom("f32", x), scope.tensor("f32", [rows, width])];
      const some = sampleOf(rows, 9);
      return {
        copies: 1,
        record: (program, version) =>
          layernorm(program, input, norm, y, {
            rows,
            ...(version === undefined ? {} : { version: version as LayernormVersion }),
          }),
        reset: () => poison(y),
        check: async (result) => [
          {
            actual: await readRows(result ?? y, width, some),
            expected: layernormReference(takeRows(x, width, some), weight, undefined),
          },
        ],
        operation: () => ({ kind: "layernorm", rows, width, x, weight }),
      };
    },
  };
}

/** Token (or, of the fine model, the sum of `tables` codes) and position of each row. */
export function embeddingCase(name: string, rows: number, tables: number, vocabulary: number): KernelCase {
  return {
    op: "embedding",
    shape: `${name}: ${tables}×${vocabulary}, ${rows} ${rows === 1 ? "row" : "rows"}`,
    versions: ["embedding"],
    flops: 0,
    bytes: (bytesOfWeight) => rows * width * (bytesOfWeight * (tables + 1) + 4),
    prepare(scope) {
      const [table, positions] = [noise(tables * vocabulary * width, 1), noise(places * width, 2)];
      const ids = Uint32Array.from({ length: rows * tables }, (_, i) => (i * 7919) % vocabulary);
      const weights = scope.own({
        table: createWeights(scope.gpu, table, [tables, vocabulary, width], "bench", scope.format),
        positions: createWeights(scope.gpu, positions, [places, width], "bench", scope.format),
        vocabulary,
        width,
      });
      const idTensor = scope.tensorFrom("u32", ids);
      const positionIds = scope.tensorFrom(
        "u32",
        Uint32Array.from({ length: rows }, (_, i) => i),
      );
      const y = scope.tensor("f32", [rows, width]);
      const some = sampleOf(rows, 9);
      return {
        copies: 1,
        record: (program) =>
          embedding(program, weights, { tensor: idTensor, stride: tables, tables, tableStride: 1 }, y, rows, {
            tensor: positionIds,
          }),
        reset: () => poison(y),
        check: async (result) => {
          const idRows = some.map((row) => [...ids.subarray(row * tables, (row + 1) * tables)]);
          const [storedTable, storedPositions] = [scope.stored(table), scope.stored(positions)];
          const expected = embeddingReference(storedTable, vocabulary, width, idRows, storedPositions, some);
          return [{ actual: await readRows(result ?? y, width, some), expected }];
        },
        operation: () => ({
          kind: "embedding",
          rows,
          width,
          vocabulary,
          tables: Array.from({ length: tables }, (_, q) => ({
            table: table.slice(q * vocabulary * width, (q + 1) * vocabulary * width),
            ids: Int32Array.from({ length: rows }, (_, row) => ids[row * tables + q]),
          })),
          places,
          positions,
        }),
      };
    },
  };
}

const greedy: SampleOptions = { ranges: [[0, 10000]], greedy: true };
const drawn: SampleOptions = { ...greedy, greedy: false, temperature: 0.7, topK: 50, seed: 5n };

/** The semantic model's pick of a token. */
export function sampleStepCase(name: string, options: SampleOptions): KernelCase {
  const vocabulary = 10048;
  return {
    op: "sample",
    shape: `step of 10000, ${name}`,
    versions: ["sample.step"],
    flops: 0,
    bytes: () => 4 * 10000,
    prepare(scope) {
      // Every run advances the state, and the row of tokens has to hold what all of them pick.
      const capacity = 1 << 16;
      const logits = noise(vocabulary, 1, 6);
      const tensors = {
        logits: scope.tensorFrom<"f32">("f32", logits),
        state: scope.tensor("u32", [1, stateWidth]),
        tokens: scope.tensor("u32", [1, capacity]),
      };
      return {
        copies: 1,
        record: (program) => sampleStep(program, tensors, { rows: 1, vocabulary, capacity }, options),
        reset: () => tensors.state.write(new Uint32Array(stateWidth)),
        check: async () => [
          {
            actual: await tensors.tokens.read(0, 1),
            expected: [sampleReference(logits, options, { row: 0, step: 0 }).id],
            exact: true,
          },
        ],
      };
    },
  };
}

/** The fine model's picks of one codebook over a whole window. */
export function sampleRowsCase(): KernelCase {
  const [rows, vocabulary, size] = [1024, 1056, 1024];
  const options: SampleOptions = { ranges: [[0, size]], greedy: false, temperature: 0.5, seed: 5n };
  return {
    op: "sample",
    shape: `rows of ${size}, ${rows} rows`,
    versions: ["sample.rows"],
    flops: 0,
    bytes: () => 4 * rows * size,
    prepare: (scope) => prepareRows(scope, rows, vocabulary, options),
  };
}

function prepareRows(scope: Scope, rows: number, vocabulary: number, options: SampleOptions): PreparedCase {
  const logits = noise(rows * vocabulary, 1, 6);
  const tensors = { logits: scope.tensorFrom<"f32">("f32", logits), out: scope.tensor("u32", [rows]) };
  return {
    copies: 1,
    record: (program) => sampleRows(program, tensors, { rows, vocabulary, first: 0, stride: 1 }, options),
    reset: () => tensors.out.write(new Uint32Array(rows).fill(vocabulary)),
    check: async () => {
      const picks = sampleOf(rows, 16).map((row) => {
        const rowLogits = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
        return { row, ...sampleReference(rowLogits, options, { row, step: 0 }) };
      });
      // Where two scores are as near as f32 can tell, either pick is right.
      const clear = picks.filter(({ margin }) => margin > 1e-3);
      const out = await tensors.out.read();
      return [{ actual: clear.map(({ row }) => out[row]), expected: clear.map(({ id }) => id), exact: true }];
    },
  };
}

export const rowOpCases: readonly KernelCase[] = [
  ...[1, 256, 1024].map(layernormCase),
  embeddingCase("semantic", 1, 1, 10048),
  embeddingCase("fine", 1024, 8, 1056),
  sampleStepCase("greedy", greedy),
  sampleStepCase("top-k 50", drawn),
  sampleRowsCase(),
];
