import type { ZipEntry } from "../zip.ts";
import type { TorchDtype } from "./dtypes.ts";

/** Numbers in a member of the archive; several tensors may be views of it. */
export class TorchStorage {
  readonly entry: ZipEntry;
  /** Undefined: plain bytes, whose tensors say what they are. */
  readonly dtype: TorchDtype | undefined;

  constructor(entry: ZipEntry, dtype: TorchDtype | undefined) {
    this.entry = entry;
    this.dtype = dtype;
  }
}

/** A view of a storage: element [i, j, …] lies at offset + i · strides[0] + j · strides[1] + …, in elements. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly dtype: TorchDtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  /** @throws Error if it reaches beyond its storage. */
  constructor(
    storage: TorchStorage,
    dtype: TorchDtype,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    const held = storage.entry.size / dtype.bytes;
    const last = offset + spanOf(shape, strides) - 1;
    if (last >= held) throw new Error(`has a tensor that ends at element ${last} of a storage of ${Math.floor(held)}`);
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }

  /** Its elements lie one after the other. */
  get isContiguous(): boolean {
    let expected = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      if (this.shape[axis] !== 1 && this.strides[axis] !== expected) return false;
      expected *= this.shape[axis];
    }
    return true;
  }
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Elements from the first to the last of a view, both included; 0 if it is empty. */
export function spanOf(shape: readonly number[], strides: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((span, extent, axis) => span + (extent - 1) * strides[axis], 1);
}

/**
 * The elements of a view in row-major order.
 * @param elements what lies from its first to its last element, the bits of an element as one number.
 */
export function gatherView<T extends Uint8Array | Uint16Array | Uint32Array | BigUint64Array>(
  elements: T,
  shape: readonly number[],
  strides: readonly number[],
): T {
  const result = new (elements.constructor as new (length: number) => T)(sizeOf(shape));
  if (result.length === 0) return result;
  const index = new Array<number>(shape.length).fill(0);
  for (let to = 0, from = 0; ; to++) {
    result[to] = elements[from];
    let axis = shape.length - 1;
    // Counts up like an odometer: an axis that overflows goes back to 0 and moves the one before it.
    for (; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
    if (axis < 0) return result;
  }
}
