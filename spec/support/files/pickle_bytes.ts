/** Opcodes of CPython's Lib/pickletools.py, as far as the specs write them. */
export const op = {
  mark: 0x28,
  stop: 0x2e,
  pop: 0x30,
  popMark: 0x31,
  dup: 0x32,
  none: 0x4e,
  newTrue: 0x88,
  newFalse: 0x89,
  binInt1: 0x4b,
  binInt2: 0x4d,
  binInt: 0x4a,
  long1: 0x8a,
  long4: 0x8b,
  binFloat: 0x47,
  shortText: 0x8c,
  text: 0x58,
  text8: 0x8d,
  shortBytes: 0x43,
  bytes: 0x42,
  bytes8: 0x8e,
  byteArray8: 0x96,
  emptyList: 0x5d,
  emptyTuple: 0x29,
  emptyDict: 0x7d,
  emptySet: 0x8f,
  tuple1: 0x85,
  tuple2: 0x86,
  tuple3: 0x87,
  tuple: 0x74,
  frozenSet: 0x91,
  append: 0x61,
  appends: 0x65,
  setItem: 0x73,
  setItems: 0x75,
  addItems: 0x90,
  binPut: 0x71,
  longBinPut: 0x72,
  memoize: 0x94,
  binGet: 0x68,
  longBinGet: 0x6a,
  global: 0x63,
  stackGlobal: 0x93,
  persistentId: 0x51,
  reduce: 0x52,
  build: 0x62,
  frame: 0x95,
} as const;

type Part = number | string | readonly number[];

/** A pickle of protocol 2: opcodes, bytes, and texts (which stand for themselves). STOP is added. */
export function pickle(...parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([0x80, 2, ...parts.flatMap(bytesOf), op.stop]);
}

/** SHORT_BINUNICODE. */
export function shortText(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [op.shortText, bytes.length, ...bytes];
}

/** GLOBAL: module and name on lines of their own. */
export function globalOf(module: string, name: string): number[] {
  return [op.global, ...new TextEncoder().encode(`${module}\n${name}\n`)];
}

/** A number of 4 bytes, little-endian. */
export function u32(value: number): number[] {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
}

function bytesOf(part: Part): readonly number[] {
  if (typeof part === "number") return [part];
  return typeof part === "string" ? [...new TextEncoder().encode(part)] : part;
}
