import type { ByteSource } from "../sources/byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import { halfToFloat } from "../../engine/formats/float16.ts";
import { NdArray } from "../../engine/ndarray.ts";

/** numpy's limit. A longer header describes records, which cannot be read anyway. */
const maxHeaderBytes = 10_000;
/** The first bytes of a file, which hold its header: magic, version, length and text. */
export const npyStartBytes = 12 + maxHeaderBytes;
/** numpy's limit. */
const maxAxes = 64;

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

export interface NpyHeader {
  /** Byte order, kind and size, such as `<i8`; for records the list of their fields. */
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
  f2: (view, at, little) => halfToFloat(view.getUint16(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

/** Reads a `.npy` file; see {@link parseNpy}. */
export async function readNpy(source: ByteSource): Promise<NdArray> {
  return parseNpy(await source.read(0, source.size), source.name);
}

/**
 * An array in NPY format 1 to 3, C or Fortran order, as row-major values: integers as int32, floats as float64.
 * @throws EngineError `bad-input` for other dtypes (object arrays hold pickles), truncated data, or integers beyond 32 bits.
 */
export function parseNpy(bytes: Uint8Array<ArrayBuffer>, where: string): NdArray {
  const { descr, fortranOrder, shape, dataOffset } = parseNpyHeader(bytes, where);
  const [order, type] = [descr[0], descr.slice(1)];
  if (!isReadable(descr))
    throw invalid(where, "holds values of a type that cannot be read", "integers or floats", descr);
  const itemSize = Number(type[1]);
  const count = shape.reduce((product, extent) => product * extent, 1);
  const found = bytes.length - dataOffset;
  if (!Number.isSafeInteger(count) || found !== count * itemSize)
    throw invalid(
      where,
      "has another size than its header says",
      `${count * itemSize} bytes of data`,
      `${found} bytes`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataOffset);
  const isFloat = type.startsWith("f");
  const values = isFloat ? new Float64Array(count) : new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const value = Number(readers[type](view, i * itemSize, order !== ">"));
    values[fortranOrder ? rowMajorIndex(i, shape) : i] = value;
    if (!isFloat && (value > 0x7fffffff || value < -0x80000000))
      throw invalid(where, "holds an integer beyond 32 bits", undefined, value);
  }
  return new NdArray(values, shape);
}

function isReadable(descr: string): boolean {
  return /^[<>|=]/.test(descr) && Object.hasOwn(readers, descr.slice(1));
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

/** The header of a `.npy` file, from its first {@link npyStartBytes} or more. @throws EngineError `bad-input`. */
export function parseNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  if (magic.some((byte, i) => bytes[i] !== byte)) throw invalid(where, "is not a .npy array");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version < 1 || version > 3) throw invalid(where, "unknown version of the .npy format", "1 to 3", version);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw invalid(where, "ends in its header");
  const size = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (size > maxHeaderBytes)
    throw invalid(where, "has too long a header", `at most ${maxHeaderBytes} bytes`, `${size} bytes`);
  const dataOffset = start + size;
  if (dataOffset > bytes.length) throw invalid(where, "ends in its header");
  const text = headerText(bytes.subarray(start, dataOffset), version);
  const fields = text === undefined ? undefined : parseDictionary(text);
  if (fields === undefined)
    throw invalid(
      where,
      "has a header that cannot be read",
      "descr, fortran_order and shape alone",
      text?.trim().slice(0, 80) ?? "bytes that are not UTF-8",
    );
  const shape = parseExtents(fields.shape);
  if (shape === undefined)
    throw invalid(where, "has a shape that cannot be read", `at most ${maxAxes} whole numbers`, fields.shape);
  const descr = fields.descr.replace(/^['"](.*)['"]$/s, "$1");
  return { descr, fortranOrder: fields.fortran_order === "True", shape, dataOffset };
}

/** Undefined where it is not in the encoding of its version. */
function headerText(bytes: Uint8Array, version: number): string | undefined {
  try {
    return new TextDecoder(version === 3 ? "utf-8" : "latin1", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

// The spaces that Python allows here.
const space = String.raw`[ \t\r\n\f]*`;
/** One key and value of a header's dictionary, as Python writes literals, and the comma or the end after it. */
const headerEntry = new RegExp(
  String.raw`${space}(?:'(\w+)'|"(\w+)")${space}:${space}('[^'\\]*'|"[^"\\]*"|True|False|\([\d\sL,]*\)|\[[\w\s'"(),<>=|]*\])${space}(?:,${space}|$)`,
  "gy",
);
const headerBody = new RegExp(String.raw`^${space}\{(.*)\}${space}$`, "s");
/** What each key's value looks like. */
const headerValues = { descr: /^['"[]/, fortran_order: /^[TF]/, shape: /^\(/ } as const;
type HeaderKey = keyof typeof headerValues;

/**
 * The literals of descr, fortran_order and shape, if the text is a dictionary of exactly these, each once: anything else in
 * a header could be code.
 */
function parseDictionary(text: string): Record<HeaderKey, string> | undefined {
  const body = headerBody.exec(text)?.[1] ?? "";
  const entries = new Map<string, string>();
  let end = 0;
  for (const [entry, single, double, value] of body.matchAll(headerEntry)) {
    const key = single ?? double;
    if (entries.has(key) || !Object.hasOwn(headerValues, key) || !headerValues[key as HeaderKey].test(value))
      return undefined;
    entries.set(key, value);
    end += entry.length;
  }
  if (end !== body.length || entries.size !== Object.keys(headerValues).length) return undefined;
  return Object.fromEntries(entries) as Record<HeaderKey, string>;
}

/** The numbers of a tuple such as `(2, 3)`; Python 2 wrote `(2L, 3L)`, and `(2)` is not a tuple. */
function parseExtents(tuple: string): number[] | undefined {
  const items = tuple
    .slice(1, -1)
    .split(",")
    .map((item) => item.trim());
  if (items.at(-1) === "") items.pop();
  else if (items.length === 1) return undefined;
  const extents = items.map((item) => (/^(0|[1-9]\d*)L?$/.test(item) ? parseInt(item, 10) : NaN));
  return extents.length <= maxAxes && extents.every(Number.isSafeInteger) ? extents : undefined;
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
  return new EngineError("bad-input", message, { where, expected, actual, fix: "fetch or save the file again" });
}
