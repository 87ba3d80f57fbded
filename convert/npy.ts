import type { ByteSource } from "../engine/byte_source.ts";
import { EngineError } from "../engine/errors.ts";
import { NdArray } from "../engine/ndarray.ts";

/** As numpy has it. A longer header describes records, which cannot be read anyway. */
const maxHeaderBytes = 10_000;
/** As numpy has it. */
const maxAxes = 64;

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

interface NpyHeader {
  /** Byte order, kind and size, such as `<i8`. */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: number[];
  readonly dataOffset: number;
}

const readers: Record<string, (view: DataView, at: number, little: boolean) => number | bigint> = {
  b1: (view, at) => view.getUint8(at),
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u8: (view, at, little) => view.getBigUint64(at, little),
  i8: (view, at, little) => view.getBigInt64(at, little),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

/** Reads a `.npy` file; see {@link parseNpy}. */
export async function readNpy(source: ByteSource): Promise<NdArray> {
  return parseNpy(await source.read(0, source.size), source.name);
}

/**
 * An array in NPY format 1 to 3, C or Fortran order, as row-major values: integers as int32, floats as float64. Nothing
 * of the header is evaluated.
 * @throws EngineError `bad-input` for other dtypes (object arrays hold pickles), truncated data, or integers beyond 32 bits.
 */
export function parseNpy(bytes: Uint8Array<ArrayBuffer>, where: string): NdArray {
  const header = parseHeader(bytes, where);
  const type = /^([<>|=])([biuf][1248])$/.exec(header.descr);
  const read = type ? readers[type[2]] : undefined;
  if (type === null || read === undefined)
    throw invalid(where, "holds values of a type that cannot be read", "integers or floats", header.descr);
  const itemSize = Number(type[2][1]);
  const count = header.shape.reduce((product, extent) => product * extent, 1);
  const found = bytes.length - header.dataOffset;
  if (!Number.isSafeInteger(count) || found !== count * itemSize)
    throw invalid(
      where,
      "has another size than its header says",
      `${count * itemSize} bytes of data`,
      `${found} bytes`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.dataOffset);
  const isFloat = type[2].startsWith("f");
  const values = isFloat ? new Float64Array(count) : new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const value = Number(read(view, i * itemSize, type[1] !== ">"));
    values[header.fortranOrder ? rowMajorIndex(i, header.shape) : i] = value;
    if (!isFloat && (value > 0x7fffffff || value < -0x80000000))
      throw invalid(where, "holds an integer beyond 32 bits", undefined, value);
  }
  return new NdArray(values, header.shape);
}

/** Where element `index` of a Fortran-ordered array of this shape lies in row-major order. */
function rowMajorIndex(index: number, shape: readonly number[]): number {
  let rest = index;
  let result = 0;
  let stride = shape.reduce((product, extent) => product * extent, 1);
  for (const extent of shape) {
    stride /= extent;
    result += (rest % extent) * stride;
    rest = Math.floor(rest / extent);
  }
  return result;
}

function parseHeader(bytes: Uint8Array, where: string): NpyHeader {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) throw invalid(where, "is no .npy array");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version < 1 || version > 3) throw invalid(where, "unknown version of the .npy format", "1 to 3", version);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw invalid(where, "ends in its header");
  const dataOffset = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataOffset > bytes.length) throw invalid(where, "ends in its header");
  if (dataOffset - start > maxHeaderBytes)
    throw invalid(where, "has too long a header", `at most ${maxHeaderBytes} bytes`, `${dataOffset - start} bytes`);
  const text = new TextDecoder().decode(bytes.subarray(start, dataOffset));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || shape === undefined || !text.trim().startsWith("{"))
    throw invalid(
      where,
      "has a header that cannot be read",
      "descr, fortran_order and shape",
      text.trim().slice(0, 80),
    );
  const extents = shape
    .split(",")
    .map((extent) => extent.trim())
    .filter((extent) => extent !== "")
    .map(Number);
  if (extents.length > maxAxes || !extents.every(Number.isSafeInteger))
    throw invalid(where, "has a shape that cannot be read", `at most ${maxAxes} whole numbers`, shape);
  return { descr, fortranOrder: order === "True", shape: extents, dataOffset };
}

/** Integers as a `.npy` file of little-endian int64, as numpy writes them. */
export function writeNpyInt64(array: NdArray): Uint8Array<ArrayBuffer> {
  const extents = array.shape.length === 1 ? `${array.shape[0]},` : array.shape.join(", ");
  const dictionary = `{'descr': '<i8', 'fortran_order': False, 'shape': (${extents}), }`;
  // The header, its newline included, ends on a multiple of 64.
  const headerSize = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + headerSize + array.size * 8);
  bytes.set([...magic, 1, 0]);
  const view = new DataView(bytes.buffer);
  view.setUint16(8, headerSize, true);
  bytes.set(new TextEncoder().encode(`${dictionary.padEnd(headerSize - 1)}\n`), 10);
  for (const [i, value] of array.data.entries()) view.setBigInt64(10 + headerSize + i * 8, BigInt(value), true);
  return bytes;
}

function invalid(where: string, message: string, expected?: unknown, actual?: unknown): EngineError {
  const found = expected === undefined && actual === undefined ? {} : { expected, actual };
  return new EngineError("bad-input", message, { where, ...found, fix: "fetch or save the file again" });
}
