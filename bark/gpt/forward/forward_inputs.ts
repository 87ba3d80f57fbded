import { noneOr, readBoolean, type Reader, type ReadersOf, type Unsupported } from "../../../engine/check/arguments.ts";
import { checkFinite, checkIds, checkMask, readArray, type ArrayInput } from "../../../engine/check/array_argument.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { NdArray } from "../../../engine/ndarray.ts";

/** What the forward passes of all models take; names and meaning as in transformers. */
export interface ForwardKwargs {
  /** In place of ids. [batch, length, hidden_size] */
  inputs_embeds?: ArrayInput | null;
  /**
   * 0 (or false) where a key is masked, 1 (or true) elsewhere. [batch, past + length]. A row that sees no key weighs evenly
   * all keys that either the mask or causality hides, but not both, as in PyTorch.
   */
  attention_mask?: ArrayInput | null;
  /** [batch or 1, length] or [length]. Default: counted from the length of the past. */
  position_ids?: ArrayInput | null;
  /** Default: that of the config. */
  output_hidden_states?: boolean | null;
  /** Default: that of the config. */
  output_attentions?: boolean | null;
  /** false: the answer is a list, as transformers' tuple. Default: that of the config. */
  return_dict?: boolean | null;
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

export const forwardReaders = {
  inputs_embeds: noneOr(readArray([3], checkFinite)),
  attention_mask: noneOr(readArray([2], checkMask)),
  position_ids: noneOr(readArray([1, 2], checkIds)),
  output_hidden_states: noneOr(readBoolean),
  output_attentions: noneOr(readBoolean),
  return_dict: noneOr(readBoolean),
} satisfies Omit<ReadersOf<ForwardKwargs>, "labels">;

/** Refuses labels with transformers' words. */
export function readLabels(words: string): Reader<undefined> {
  return noneOr((): never => {
    throw usageError("labels", words);
  });
}

/** {@link ForwardKwargs} as they were read. */
export interface ForwardArguments {
  inputs_embeds?: NdArray<Float32Array<ArrayBuffer>>;
  attention_mask?: NdArray;
  position_ids?: NdArray;
  output_hidden_states?: boolean;
  output_attentions?: boolean;
  return_dict?: boolean;
}

const ignored = "leave it out: transformers 5.23 takes it and ignores it";

export const unsupportedForward: Unsupported = { cache_position: [[null], ignored], head_mask: [[null], ignored] };

/** @throws EngineError `usage` where transformers raises: for both or neither of ids and embeddings. */
export function checkEither(ids: unknown, embeddings: unknown): void {
  const given = [ids, embeddings].filter((value) => value !== undefined).length;
  if (given === 2) throw usageError("forward", "You cannot specify both input_ids and inputs_embeds at the same time");
  if (given === 0) throw usageError("forward", "You have to specify either input_ids or inputs_embeds");
}

/** @throws EngineError `usage` unless an array of ids or embeddings has `[batch, length, ...rest]` values, at least one. */
export function checkInputShape(array: NdArray, rest: readonly number[], where: string): void {
  const [batch, length, ...found] = array.shape;
  if (batch > 0 && length > 0 && rest.every((extent, i) => extent === found[i])) return;
  throw usageError(where, "wrong shape", `[${["batch", "length", ...rest].join(", ")}]`, shapeText(array));
}

/** @throws EngineError `usage` for another width. */
export function embeddingInputs(array: NdArray<Float32Array<ArrayBuffer>>, width: number): Inputs {
  checkInputShape(array, [width], "inputs_embeds");
  const [batch, length] = array.shape;
  return { length, rows: Array.from({ length: batch }, (_, row) => array.row(row).data) };
}

/** Puts positions and masks to inputs that follow `past` others. @throws EngineError `usage` for shapes and positions. */
export function inputRows(inputs: Inputs, kwargs: ForwardArguments, past: number, blockSize: number): InputRow[] {
  const { length, rows } = inputs;
  const positions = positionRows(kwargs.position_ids, rows.length, length, past, blockSize);
  const masks = maskRows(kwargs.attention_mask, rows.length, past + length);
  return rows.map((input, row) => ({ input, positions: positions[row], mask: masks[row] }));
}

/** @throws EngineError `usage` if there are more positions than the model has. */
export function checkLength(past: number, length: number, blockSize: number): void {
  if (past + length <= blockSize) return;
  const actual = past === 0 ? length : `${past} in past_key_values and ${length}`;
  throw usageError("forward", "the sequence is longer than the model has positions", `at most ${blockSize}`, actual);
}

function positionRows(
  array: NdArray | undefined,
  batch: number,
  length: number,
  past: number,
  blockSize: number,
): Uint32Array<ArrayBuffer>[] {
  if (array === undefined) {
    checkLength(past, length, blockSize);
    return Array.from({ length: batch }, () => Uint32Array.from({ length }, (_, i) => past + i));
  }
  const [rows, columns] = array.shape.length === 1 ? [1, array.size] : array.shape;
  if (![1, batch].includes(rows) || ![1, length].includes(columns))
    throw usageError("position_ids", "wrong shape", `[${batch}, ${length}]`, shapeText(array));
  checkIds(array, "position_ids", blockSize);
  const at = (row: number, i: number): number => (rows === 1 ? 0 : row) * columns + (columns === 1 ? 0 : i);
  return Array.from({ length: batch }, (_, row) => Uint32Array.from({ length }, (_, i) => array.data[at(row, i)]));
}

/** A mask without a 0 counts as no mask, whatever its shape, as in transformers. */
function maskRows(array: NdArray | undefined, batch: number, keys: number): InputRow["mask"][] {
  const none = Array.from({ length: batch }, () => undefined);
  if (array?.data.includes(0) !== true) return none;
  if (array.shape[0] !== batch || array.shape[1] !== keys)
    throw usageError("attention_mask", "wrong shape", `[${batch}, ${keys}], past included`, shapeText(array));
  return none.map((_, row) => Uint32Array.from(array.row(row).data));
}

function shapeText(array: NdArray): string {
  return `[${array.shape.join(", ")}]`;
}
