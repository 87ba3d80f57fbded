import { halfToFloat, floatToHalf } from "../../../engine/formats/float16.ts";
import type { Gpu } from "../../../engine/gpu.ts";
import type { WeightFormat } from "../../../engine/dtypes.ts";
import { embedding, embeddingGiven } from "../../../kernels/embedding/embedding.ts";
import { embeddingReference } from "../../../kernels/embedding/reference.ts";
import { createWeights, padRows } from "../../../kernels/matmul/linear.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";

const tolerance = { absolute: 1e-6 };
const halves = (values: Float32Array): Float32Array => values.map((value) => halfToFloat(floatToHalf(value)));

describe("embedding", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  interface Case {
    /** Tables that there are; `used` of them are summed. */
    tables: number;
    used?: number;
    vocabulary: number;
    width: number;
    rows: number;
    first?: number;
    stride: number;
    tableStride?: number;
    positions?: { count: number; first?: number; stride?: number };
    format?: WeightFormat;
  }

  /** `count` reproducible ids below `limit`. */
  const indices = (count: number, limit: number, seed: number): Uint32Array<ArrayBuffer> =>
    Uint32Array.from(noise(count, seed), (value) => Math.floor(((value + 1) / 2) * limit));

  async function check(shape: Case): Promise<void> {
    const { tables, vocabulary, width, rows, first = 0, stride, tableStride = 0, format = "f32" } = shape;
    const used = shape.used ?? tables;
    const padded = Math.ceil(width / 4) * 4;
    const table = noise(tables * vocabulary * width, 1);
    const ids = indices(first + rows * stride + used * tableStride + 1, vocabulary, 2);
    const { count = 1, first: positionFirst = 0, stride: positionStride = 1 } = shape.positions ?? {};
    const positionTable = noise(count * width, 3);
    const positions = indices(positionFirst + rows * positionStride, count, 4);

    const weights = (values: Float32Array<ArrayBuffer>, height: number, label: string) =>
      createWeights(gpu, padRows(values, height, width), [height, padded], label, format);
    const gpuTables = {
      table: weights(table, tables * vocabulary, "table"),
      positions: weights(positionTable, count, "positions"),
      vocabulary,
      width,
    };
    const gpuIds = gpu.tensorFrom("u32", [ids.length], ids, "ids");
    const gpuPositions = gpu.tensorFrom("u32", [positions.length], positions, "position ids");
    const y = gpu.tensorFrom("f32", [rows + 1, width], noise((rows + 1) * width, 5), "y");
    const program = gpu.program("embedding");
    embedding(
      program,
      gpuTables,
      { tensor: gpuIds, first, stride, tables: used, tableStride },
      y,
      rows,
      shape.positions && { tensor: gpuPositions, first: positionFirst, stride: positionStride },
    );
    await program.run();

    const rounded = format === "f16" ? halves : (values: Float32Array) => values;
    const rowIds = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: used }, (_, q) => ids[first + row * stride + q * tableStride]),
    );
    const rowPositions = Array.from({ length: rows }, (_, row) => positions[positionFirst + row * positionStride]);
    const expected = embeddingReference(
      rounded(table),
      vocabulary,
      width,
      rowIds,
      ...(shape.positions ? ([rounded(positionTable), rowPositions] as const) : []),
    );
    // The row of y after the last stays as it was.
    const after = noise((rows + 1) * width, 5).subarray(rows * width);
    expectClose(await y.read(), Float64Array.of(...expected, ...after), tolerance, JSON.stringify(shape));
    for (const tensor of [gpuTables.table, gpuTables.positions, gpuIds, gpuPositions, y]) tensor.dispose();
    program.dispose();
  }

  for (const format of ["f32", "f16"] as const) {
    it(`${format}: gathers rows of any width`, async () => {
      for (const width of [1, 3, 4, 31, 130, 260])
        for (const rows of [1, 9]) await check({ format, tables: 1, vocabulary: 11, width, rows, stride: 1 });
    });

    it(`${format}: adds the position embeddings`, async () => {
      for (const width of [3, 64, 130])
        await check({ format, tables: 1, vocabulary: 7, width, rows: 10, stride: 1, positions: { count: 13 } });
    });

    it(`${format}: sums the first tables of several, as the fine model does`, async () => {
      for (const used of [1, 3, 8])
        await check({
          format,
          tables: 8,
          used,
          vocabulary: 10,
          width: 33,
          rows: 12,
          stride: 8,
          tableStride: 1,
          positions: { count: 12 },
        });
    });

    it(`${format}: reads ids of one table after those of the other`, () =>
      check({ format, tables: 4, vocabulary: 9, width: 16, rows: 6, stride: 1, tableStride: 6 }));

    it(`${format}: reads token and position out of decode states`, () =>
      check({
        format,
        tables: 1,
        vocabulary: 9,
        width: 24,
        rows: 3,
        first: 4,
        stride: 4,
        positions: { count: 9, first: 5, stride: 4 },
      }));

    it(`${format}: adds positions to embeddings that are given`, async () => {
      for (const width of [1, 31, 130]) {
        const rows = 5;
        const given = noise(rows * width, 11);
        const table = noise(7 * width, 12);
        const at = [0, 6, 3, 2, 6];
        const words = Uint32Array.from(at.flatMap((position) => [99, position, 99]));
        const tensors = {
          given: gpu.tensorFrom("f32", [rows, width], given, "given"),
          table: createWeights(gpu, padRows(table, 7, width), [7, Math.ceil(width / 4) * 4], "table", format),
          positions: gpu.tensorFrom("u32", [words.length], words, "positions"),
          y: gpu.tensor("f32", [rows, width], "y"),
        };
        const program = gpu.program("given");
        embeddingGiven(
          program,
          tensors.given,
          tensors.table,
          { tensor: tensors.positions, first: 1, stride: 3 },
          tensors.y,
          rows,
        );
        await program.run();
        const rounded = format === "f16" ? halves(table) : table;
        const expected = Float64Array.from(
          given,
          (value, i) => value + rounded[at[Math.floor(i / width)] * width + (i % width)],
        );
        expectClose(await tensors.y.read(), expected, tolerance, `width ${width}`);
        for (const tensor of Object.values(tensors)) tensor.dispose();
        program.dispose();
      }
    });
  }
});
