import { addReference } from "../elementwise/reference.ts";
import { embedding, embeddingGiven, embeddingGivenKernel, embeddingKernel } from "../embedding/embedding.ts";
import { embeddingReference } from "../embedding/reference.ts";
import { createWeights, padRows } from "../matmul/linear.ts";
import { rounding, type Bench, type Case } from "./case.ts";
import { noise } from "./noise.ts";

const [rows, width, vocabulary, tables] = [5, 133, 7, 3];
const positions = [0, 6, 3, 2, 6];

function gpuTable(bench: Bench, values: Float32Array<ArrayBuffer>) {
  const height = values.length / width;
  const padded = padRows(values, height, width);
  return createWeights(bench, padded, [height, padded.length / height], "self test", bench.format);
}

/** Three ids a row, one of each table, and a position. */
const gathered: Case = {
  kernel: embeddingKernel,
  tolerance: rounding,
  record(bench) {
    const ids = Array.from({ length: rows }, (_, row) => [row, (3 * row + 1) % vocabulary, (5 * row + 2) % vocabulary]);
    const table = noise(tables * vocabulary * width, 1);
    const positionTable = noise(vocabulary * width, 2);
    const y = bench.f32(new Float32Array(rows * width));
    embedding(
      bench.commands,
      { table: gpuTable(bench, table), positions: gpuTable(bench, positionTable), vocabulary, width },
      { tensor: bench.u32(Uint32Array.from(ids.flat())), stride: tables, tables, tableStride: 1 },
      y,
      rows,
      { tensor: bench.u32(Uint32Array.from(positions)) },
    );
    const [tableValues, positionValues] = [bench.stored(table), bench.stored(positionTable)];
    return [[y, embeddingReference(tableValues, vocabulary, width, ids, positionValues, positions)]];
  },
};

/** Embeddings that are given, and a position. */
const given: Case = {
  kernel: embeddingGivenKernel,
  tolerance: rounding,
  record(bench) {
    const values = noise(rows * width, 1);
    const table = noise(vocabulary * width, 2);
    const y = bench.f32(new Float32Array(rows * width), [rows, width]);
    const at = { tensor: bench.u32(Uint32Array.from(positions)) };
    embeddingGiven(bench.commands, bench.f32(values), gpuTable(bench, table), at, y, rows);
    const rowsOfTable = positions.map((position) => [position]);
    return [[y, addReference(values, embeddingReference(bench.stored(table), vocabulary, width, rowsOfTable))]];
  },
};

export const embeddingCases = [gathered, given];
