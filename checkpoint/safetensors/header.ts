import { EngineError } from "../../engine/errors.ts";

/** One tensor of a safetensors file. */
export interface SafetensorsEntry {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Bytes from the end of the header: [begin, end). */
  readonly begin: number;
  readonly end: number;
}

const dtypeBits = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
};
export type SafetensorsDtype = keyof typeof dtypeBits;

/** The largest header that the format allows. */
export const maxHeaderBytes = 100_000_000;

export interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Parses and checks the JSON header by all rules of the reference implementation (safetensors/src/tensor.rs): known
 * dtypes, sizes that fit shapes, tensors without holes or overlap, and nothing after the last.
 * @param bytes the header alone. @param dataBytes size of the file after the header. @param where the file's name.
 * @throws EngineError `bad-input` naming the file and the tensor.
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, where: string): SafetensorsHeader {
  const object = parseJson(bytes, where);
  const entries = new Map<string, SafetensorsEntry>();
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(object)) {
    if (name === "__metadata__") readMetadata(value, metadata, where);
    else entries.set(name, readEntry(name, value, where));
  }
  checkLayout(entries, dataBytes, where);
  return { entries, metadata };
}

function invalid(where: string, message: string, expected?: unknown, actual?: unknown): EngineError {
  const fix = "the file is damaged or not a safetensors file: download or convert it again";
  return new EngineError("bad-input", message, { where, expected, actual, fix });
}

function parseJson(bytes: Uint8Array, where: string): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(where, "the header is not UTF-8");
  }
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(where, "the header is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(where, "the header is not a JSON object");
  const duplicate = duplicateKey(text);
  if (duplicate !== undefined) throw invalid(where, `the header names ${JSON.stringify(duplicate)} twice`);
  return value as Record<string, unknown>;
}

/**
 * A key that appears twice in one object of valid JSON; JSON.parse keeps the last one silently. Character by character,
 * because a regular expression runs out of stack in a long string.
 */
function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // keys of the objects around; an array has none
  let keys: Set<string> | undefined; // where a key is next
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "{" || char === "[") open.push((keys = char === "{" ? new Set() : undefined));
    else if (char === "}" || char === "]") open.pop();
    else if (char === ",") keys = open.at(-1);
    else if (char === '"') {
      const begin = at++;
      while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
      if (keys === undefined) continue;
      const key = JSON.parse(text.slice(begin, at + 1)) as string;
      if (keys.has(key)) return key;
      keys.add(key);
      keys = undefined;
    }
  }
  return undefined;
}

function readMetadata(value: unknown, metadata: Map<string, string>, where: string): void {
  if (value === null) return;
  if (typeof value !== "object" || Array.isArray(value)) throw invalid(where, "__metadata__ is not an object");
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw invalid(where, `__metadata__ entry ${JSON.stringify(key)} is not a string`);
    metadata.set(key, text);
  }
}

function readEntry(name: string, value: unknown, file: string): SafetensorsEntry {
  const where = `${file}: tensor ${name}`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(where, "is not an object");
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(dtypeBits, dtype))
    throw invalid(where, "unknown dtype", "F32, …", dtype);
  if (!isCounts(shape)) throw invalid(where, "wrong shape", "a list of whole numbers", shape);
  if (!isCounts(offsets) || offsets.length !== 2)
    throw invalid(where, "wrong data_offsets", "a pair of whole numbers", offsets);
  const [begin, end] = offsets;
  let bits = BigInt(dtypeBits[dtype as SafetensorsDtype]);
  for (const extent of shape) {
    bits *= BigInt(extent);
    // In the loop: a long list of large extents would make a number that takes minutes to multiply.
    if (bits >= 1n << 64n) throw invalid(where, "the size overflows", "less than 2^64 bits", shape);
  }
  if (bits % 8n !== 0n) throw invalid(where, "the size is not a whole number of bytes", "a multiple of 8 bits", shape);
  if (BigInt(end - begin) !== bits / 8n)
    throw invalid(where, "offsets do not fit dtype and shape", `${bits / 8n} bytes`, `${end - begin} bytes`);
  return { dtype: dtype as SafetensorsDtype, shape, begin, end };
}

/** Whole numbers that a double holds exactly. A larger one, such as 2^64 - 2, lost digits in JSON.parse. */
function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
}

function checkLayout(entries: ReadonlyMap<string, SafetensorsEntry>, dataBytes: number, where: string): void {
  let end = 0;
  for (const [name, entry] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end)
      throw invalid(
        `${where}: tensor ${name}`,
        "leaves a hole or overlaps its neighbour",
        `offset ${end}`,
        entry.begin,
      );
    end = entry.end;
  }
  if (end !== dataBytes)
    throw invalid(where, "the file's size does not fit its tensors", `${end} bytes of data`, `${dataBytes} bytes`);
}
