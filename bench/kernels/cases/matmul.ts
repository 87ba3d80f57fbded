import { noise } from "../../../kernels/self_test/noise.ts";
import { createLinear, roundTo } from "../../../kernels/matmul/linear.ts";
import { matmul, type MatmulOptions } from "../../../kernels/matmul/matmul.ts";
import { layernormReference } from "../../../kernels/layernorm/reference.ts";
import { matmulReference } from "../../../kernels/matmul/reference.ts";
import { matmulLab } from "../../../kernels/matmul/lab/versions.ts";
import {
  matmulVersions,
  normedVersions,
  type OwnMatmulVersion,
  type PlainVersion,
} from "../../../kernels/matmul/versions.ts";
import { labNames, rungOf } from "./lab.ts";
import { poison, readRows, sampleOf, takeRows, type KernelCase, type PreparedCase, type Scope } from "./case.ts";

interface Product {
  readonly name: string;
  readonly inner: number;
  readonly columns: number;
  readonly options?: Pick<MatmulOptions, "gelu" | "accumulate" | "columnRange">;
  /** A layer norm in front. */
  readonly normed?: boolean;
}

/** The products of one layer of a GPT of width H. */
export function layerProducts(H: number): Product[] {
  return [
    { name: "qkv", inner: H, columns: 3 * H },
    { name: "out", inner: H, columns: H, options: { accumulate: true } },
    { name: "mlp in", inner: H, columns: 4 * H, options: { gelu: true } },
    { name: "mlp out", inner: 4 * H, columns: H, options: { accumulate: true } },
  ];
}

const normed = (product: Product): Product => ({ ...product, name: `norm + ${product.name}`, normed: true });
const semanticHead: Product = {
  name: "semantic head",
  inner: 768,
  columns: 10048,
  options: { columnRange: [0, 10001] },
};
const coarseHead: Product = {
  name: "coarse head",
  inner: 768,
  columns: 12096,
  options: { columnRange: [10000, 11024] },
};
const fineHead: Product = { name: "fine head", inner: 768, columns: 1056, options: { columnRange: [0, 1024] } };

/** Rows from which a product is bound by arithmetic, so that caches do not matter. */
const manyRows = 16;

export function matmulCase(product: Product, rows: number): KernelCase {
  const { name, inner, columns, options = {} } = product;
  const [start, end] = options.columnRange ?? [0, columns];
  const used = end - start;
  const results = used * rows * (options.accumulate ? 2 : 1);
  return {
    op: "matmul",
    shape: `${name} ${inner}→${used}, ${rows} ${rows === 1 ? "row" : "rows"}`,
    versions: [
      ...Object.keys(product.normed ? normedVersions : matmulVersions),
      ...(product.normed ? [] : labNames(matmulLab)),
    ].filter((version) => isMeant(version, rows)),
    errors: labErrors,
    flops: 2 * rows * inner * used,
    bytes: (bytesOfWeight) => inner * used * bytesOfWeight + 4 * (inner * rows + results),
    prepare: (scope) => prepare(scope, product, rows),
  };
}

const labErrors = Object.fromEntries(labNames(matmulLab).map((name, i) => [name, Object.values(matmulLab)[i].error]));

/** A GEMV reads the weights again for every row or few, and a GEMM of one row computes a tile of them. */
function isMeant(version: string, rows: number): boolean {
  return version.startsWith("gemm") ? rows > 1 : rows <= manyRows;
}

async function prepare(scope: Scope, product: Product, rows: number): Promise<PreparedCase> {
  const { inner, columns, options = {} } = product;
  const [start, end] = options.columnRange ?? [0, columns];
  const x = noise(rows * inner, 1);
  const weight = noise(columns * inner, 2, 0.5);
  const normWeight = noise(inner, 3);
  const linear = scope.own(createLinear(scope.gpu, weight, columns, inner, "bench", { format: scope.matrixFormat }));
  const linears = await scope.uncached(linear, rows > manyRows ? 1 : undefined);
  const input = scope.tensorFrom("f32", x);
  const y = scope.tensor("f32", [rows, columns]);
  const norm = product.normed ? { weight: scope.tensorFrom("f32", normWeight), bias: undefined } : undefined;
  return {
    copies: linears.length,
    record: (program, version, copy) =>
      matmul(program, input, linears[copy], y, {
        rows,
        ...options,
        ...(norm === undefined ? {} : { norm }),
        ...(version === undefined ? {} : { version: rungOf<PlainVersion, OwnMatmulVersion>(matmulLab, version) }),
      }),
    reset: () => (options.accumulate ? y.write(new Float32Array(y.size)) : poison(y)),
    check: async (result) => {
      const someRows = sampleOf(rows, 5);
      const someColumns = sampleOf(end - start, 67).map((column) => start + column);
      const rowsOfX = takeRows(x, inner, someRows);
      const expected = matmulReference(
        norm === undefined ? rowsOfX : layernormReference(rowsOfX, normWeight, undefined),
        takeRows(roundTo(weight, columns, inner, scope.matrixFormat), inner, someColumns),
        someRows.length,
        inner,
        someColumns.length,
        { gelu: options.gelu ?? false },
      );
      // Of another engine there are no columns but those that are used.
      const [width, first] = result === undefined ? [columns, 0] : [end - start, start];
      const found = await readRows(result ?? y, width, someRows);
      const actual = someRows.flatMap((_, i) => someColumns.map((column) => found[i * width + column - first]));
      return [{ actual, expected }];
    },
    operation: () => ({
      kind: "matmul",
      rows,
      inner,
      columns: end - start,
      x,
      weight: weight.slice(start * inner, end * inner),
      ...(norm === undefined ? {} : { normWeight }),
      gelu: options.gelu ?? false,
      residual: options.accumulate ?? false,
    }),
  };
}

const [qkv, out, mlpIn, mlpOut] = layerProducts(768);

export const matmulCases: readonly KernelCase[] = [
  ...[qkv, normed(qkv), out, mlpIn, normed(mlpIn), mlpOut, semanticHead, coarseHead].map((p) => matmulCase(p, 1)),
  ...[qkv, mlpIn, mlpOut].map((product) => matmulCase(product, 4)),
  ...[256, 1024].flatMap((rows) => [qkv, out, mlpIn, mlpOut].map((product) => matmulCase(product, rows))),
  matmulCase(fineHead, 1024),
];
