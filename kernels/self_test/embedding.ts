import { addReference } from "../elementwise/reference.ts";
import { embedding, embeddingGiven } from "../embedding/embedding.ts";
import { embeddingReference } from "../embedding/reference.ts";
import { embeddingGivenKernel, embeddingKernel } from "../embedding/versions.ts";
import { createWeights, padRows } from "../matmul/linear.ts";
import { rounding, type CaseScope, type SelfTestCase } from "./case.ts";
import { noise } from "./noise.ts";

const [rows, width, vocabulary, tables] = [5, 133, 7, 3];
const positions = [0, 6, 3, 2, 6];

function gpuTable(scope: CaseScope, values: Float32Array<ArrayBuffer>) {
  const height = values.length / width;
  const padded = padRows(values, height, width);
  return createWeights(scope, padded, [height, padded.length / height], "self test", scope.format);
}

/** Three ids a row, one of each table, and a position. */
const gathered: SelfTestCase = {
  kernel: embeddingKernel,
  tolerance: rounding,
  record(scope) {
    const ids = Array.from({ length: rows }, (_, row) => [row, (3 * row + 1) % vocabulary, (5 * row + 2) % vocabulary]);
    const table = noise(tables * vocabulary * width, 1);
    const positionTable = noise(vocabulary * width, 2);
    const y = scope.f32(new Float32Array(rows * width));
    embedding(
      scope.commands,
      { table: gpuTable(scope, table), positions: gpuTable(scope, positionTable), vocabulary, width },
      { tensor: scope.u32(Uint32Array.from(ids.flat())), stride: tables, tables, tableStride: 1 },
      y,
      rows,
      { tensor: scope.u32(Uint32Array.from(positions)) },
    );
    const [tableValues, positionValues] = [scope.stored(table), scope.stored(positionTable)];
    return [[y, embeddingReference(tableValues, vocabulary, width, ids, positionValues, positions)]];
  },
};

/** The caller's embeddings, and a position. */
const given: SelfTestCase = {
  kernel: embeddingGivenKernel,
  tolerance: rounding,
  record(scope) {
    const values = noise(rows * width, 1);
    const table = noise(vocabulary * width, 2);
    const y = scope.f32(new Float32Array(rows * width), [rows, width]);
    const at = { tensor: scope.u32(Uint32Array.from(positions)) };
    embeddingGiven(scope.commands, scope.f32(values), gpuTable(scope, table), at, y, rows);
    const rowsOfTable = positions.map((position) => [position]);
    return [[y, addReference(values, embeddingReference(scope.stored(table), vocabulary, width, rowsOfTable))]];
  },
};

export const embeddingCases = [gathered, given];
