import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";

type Nested = number | readonly Nested[];
/** An array, or lists of lists of numbers. */
export type ArrayLikeInput = NdArray | readonly Nested[];

/** What the forward passes of all models take; names and meaning as in transformers. */
export interface ForwardKwargs {
  /** In place of ids. [batch, length, hidden_size] */
  inputs_embeds?: ArrayLikeInput | null;
  /**
   * 0 where a key is masked. [batch, past + length]. A row that sees no key weighs those evenly that it is kept from by
   * the mask or by causality but not by both, as in PyTorch.
   */
  attention_mask?: ArrayLikeInput | null;
  /** [batch or 1, length] or [length]. Default: counted from the length of the past. */
  position_ids?: ArrayLikeInput | null;
  /** Default false. */
  output_hidden_states?: boolean | null;
  /** Default false. */
  output_attentions?: boolean | null;
  /** Training is not implemented. */
  labels?: null;
}

/** One sequence of a batch. */
export interface InputRow {
  /** Ids [length, tables], or embeddings [length, hidden_size]. */
  readonly input: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  /** [length] */
  readonly positions: Uint32Array<ArrayBuffer>;
  /** 0 where a key is masked, or undefined if none is. [past + length] */
  readonly mask: Uint32Array<ArrayBuffer> | undefined;
}

/** Ids or embeddings of a batch. */
export interface Inputs {
  readonly length: number;
  readonly rows: readonly InputRow["input"][];
}

export function usageError(where: string, message: string, expected?: unknown, actual?: unknown): EngineError {
  return new EngineError("usage", message, { where, ...(expected === undefined ? {} : { expected, actual }) });
}

/** An argument as an array. @throws EngineError `usage` if its rows differ in length or it has other axes. */
export function arrayOf(value: ArrayLikeInput, axes: readonly number[], where: string): NdArray {
  const array = value instanceof NdArray ? value : nestedArray(value);
  if (array !== undefined && axes.includes(array.shape.length)) return array;
  const actual = array === undefined ? "lists that make up no array of numbers" : `shape [${array.shape.join(", ")}]`;
  throw usageError(where, "wrong number of axes", `${axes.join(" or ")} axes`, actual);
}

function nestedArray(value: readonly Nested[]): NdArray | undefined {
  const shape = shapeOf(value);
  return shape && new NdArray(Float64Array.from((value as number[][]).flat(Infinity) as number[]), shape);
}

function shapeOf(value: Nested): number[] | undefined {
  if (!Array.isArray(value)) return typeof value === "number" ? [] : undefined;
  const shapes = (value as Nested[]).map(shapeOf);
  const first = shapes[0] ?? [];
  const same = shapes.every((shape) => shape !== undefined && shape.join() === first.join());
  return same ? [value.length, ...first] : undefined;
}

/** @throws EngineError `usage` where transformers raises: labels, both or neither of ids and embeddings. */
export function checkEither(ids: unknown, embeddings: unknown, labels: unknown): void {
  if ((labels ?? null) !== null)
    throw usageError(
      "labels",
      "Training is not implemented yet for Bark - ensure you do not pass `labels` to the model.",
    );
  const given = [ids, embeddings].filter((value) => (value ?? null) !== null).length;
  if (given === 2) throw usageError("forward", "You cannot specify both input_ids and inputs_embeds at the same time");
  if (given === 0) throw usageError("forward", "You have to specify either input_ids or inputs_embeds");
}

/** @throws EngineError `usage` if a value is not an integer in [0, end): the GPU would read another row of its table. */
export function checkIndices(values: ArrayLike<number>, end: number, where: string): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isInteger(values[i]) || values[i] < 0 || values[i] >= end)
      throw usageError(where, "index out of range", `0 to ${end - 1}`, values[i]);
}

/** @throws EngineError `usage` unless an array of ids or embeddings has `[batch, length, ...rest]` values, at least one. */
export function checkInputShape(array: NdArray, rest: readonly number[], where: string): void {
  const [batch, length, ...found] = array.shape;
  if (batch > 0 && length > 0 && rest.every((extent, i) => extent === found[i])) return;
  throw usageError(where, "wrong shape", `[${["batch", "length", ...rest].join(", ")}]`, shapeText(array));
}

/** @throws EngineError `usage` for another shape. */
export function embeddingInputs(value: ArrayLikeInput, width: number): Inputs {
  const array = arrayOf(value, [3], "inputs_embeds");
  checkInputShape(array, [width], "inputs_embeds");
  const [batch, length] = array.shape;
  return { length, rows: Array.from({ length: batch }, (_, row) => Float32Array.from(array.row(row).data)) };
}

/** Puts positions and masks to inputs that follow `past` others. @throws EngineError `usage` for shapes and positions. */
export function inputRows(inputs: Inputs, kwargs: ForwardKwargs, past: number, blockSize: number): InputRow[] {
  const { length, rows } = inputs;
  const positions = positionRows(kwargs.position_ids ?? null, rows.length, length, past, blockSize);
  const masks = maskRows(kwargs.attention_mask ?? null, rows.length, past + length);
  return rows.map((input, row) => ({ input, positions: positions[row], mask: masks[row] }));
}

/** @throws EngineError `usage` if there are more positions than the model has. */
export function checkLength(past: number, length: number, blockSize: number): void {
  if (past + length <= blockSize) return;
  const actual = past === 0 ? length : `${past} in past_key_values and ${length}`;
  throw usageError("forward", "the sequence is longer than the model has positions", `at most ${blockSize}`, actual);
}

function positionRows(
  value: ArrayLikeInput | null,
  batch: number,
  length: number,
  past: number,
  blockSize: number,
): Uint32Array<ArrayBuffer>[] {
  if (value === null) {
    checkLength(past, length, blockSize);
    return Array.from({ length: batch }, () => Uint32Array.from({ length }, (_, i) => past + i));
  }
  const array = arrayOf(value, [1, 2], "position_ids");
  const [rows, columns] = array.shape.length === 1 ? [1, array.size] : array.shape;
  if (![1, batch].includes(rows) || ![1, length].includes(columns))
    throw usageError("position_ids", "wrong shape", `[${batch}, ${length}]`, shapeText(array));
  checkIndices(array.data, blockSize, "position_ids");
  const at = (row: number, i: number): number => (rows === 1 ? 0 : row) * columns + (columns === 1 ? 0 : i);
  return Array.from({ length: batch }, (_, row) => Uint32Array.from({ length }, (_, i) => array.data[at(row, i)]));
}

/** A mask without any 0 is none, whatever its shape, as in transformers. */
function maskRows(value: ArrayLikeInput | null, batch: number, keys: number): InputRow["mask"][] {
  const none = Array.from({ length: batch }, () => undefined);
  if (value === null) return none;
  const array = arrayOf(value, [2], "attention_mask");
  if (array.data.every((seen: number) => seen !== 0)) return none;
  if (array.shape[0] !== batch || array.shape[1] !== keys)
    throw usageError("attention_mask", "wrong shape", `[${batch}, ${keys}], past included`, shapeText(array));
  return none.map((_, row) => Uint32Array.from(array.row(row).data, (seen) => (seen === 0 ? 0 : 1)));
}

function shapeText(array: NdArray): string {
  return `[${array.shape.join(", ")}]`;
}
