import type { ByteSource } from "./sources/byte_source.ts";
import { EngineError } from "../engine/errors.ts";

/** One file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly crc32: number;
  readonly isEncrypted: boolean;
  /** Of the local header. */
  readonly headerOffset: number;
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
/** Most bytes of a directory. A Bark has 100 kB; 16 MB of entries without names take 100 MB of memory. */
const maxDirectoryBytes = 16 * 2 ** 20;
/** Field value that says "see the zip64 extra". */
const in64 = 0xffffffff;

function damaged(source: ByteSource, message: string, actual?: unknown): EngineError {
  return new EngineError("bad-input", message, {
    where: source.name,
    ...(actual === undefined ? {} : { expected: "a zip archive", actual }),
    fix: "the file is damaged or not a zip archive: fetch or save it again",
  });
}

/** A zip or zip64 archive, read by range through its central directory (PKWARE APPNOTE 6.3.9). */
export class ZipReader {
  readonly source: ByteSource;
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #directoryOffset: number;

  private constructor(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>, directoryOffset: number) {
    this.source = source;
    this.entries = entries;
    this.#directoryOffset = directoryOffset;
  }

  /** @throws EngineError `bad-input` if the directory is missing, damaged or names a file twice. */
  static async open(source: ByteSource): Promise<ZipReader> {
    const { offset, size, count } = await findDirectory(source);
    if (offset + size > source.size) throw damaged(source, "the zip directory lies outside the file");
    if (size > maxDirectoryBytes) throw damaged(source, "the zip directory is too large", `${size} bytes`);
    const directory = await source.read(offset, size);
    const view = new DataView(directory.buffer, directory.byteOffset, directory.byteLength);
    const entries = new Map<string, ZipEntry>();
    for (let at = 0, i = 0; i < count; i++) {
      if (at + 46 > view.byteLength || view.getUint32(at, true) !== centralSignature)
        throw damaged(source, "the zip directory is damaged");
      const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
      const end = at + 46 + nameLength + extraLength + commentLength;
      if (end > view.byteLength) throw damaged(source, "the zip directory is damaged");
      const entry = readEntry(source, directory, view, at, nameLength, extraLength);
      if (entries.has(entry.name)) throw damaged(source, `holds ${entry.name} twice`);
      entries.set(entry.name, entry);
      at = end;
    }
    return new ZipReader(source, entries, offset);
  }

  /**
   * Where an entry's bytes begin: the local header's extra field differs from the directory's.
   * @throws EngineError `bad-input` if they are encrypted, or do not end before the directory begins.
   */
  async dataOffset(entry: ZipEntry): Promise<number> {
    if (entry.isEncrypted) throw damaged(this.source, `${entry.name} is encrypted`);
    const header = await this.source.read(entry.headerOffset, 30);
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    if (view.getUint32(0, true) !== localSignature) throw damaged(this.source, `${entry.name} has no local header`);
    const offset = entry.headerOffset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
    if (offset + entry.compressedSize > this.#directoryOffset)
      throw damaged(this.source, `${entry.name} reaches into the zip directory`);
    return offset;
  }

  /**
   * The bytes of an entry, checked against its CRC.
   * @param maxSize of the content; a larger one is refused before or while it is unpacked (zip bombs).
   */
  async read(entry: ZipEntry, maxSize: number): Promise<Uint8Array<ArrayBuffer>> {
    const where = `${this.source.name}: ${entry.name}`;
    if (entry.size > maxSize)
      throw new EngineError("bad-input", "is larger than it may be", {
        where,
        expected: `at most ${maxSize} bytes`,
        actual: `${entry.size} bytes`,
      });
    const packed = await this.#packed(entry, entry.compressedSize);
    const bytes = entry.method === 0 ? packed : await inflate(packed, entry.size, where);
    if (bytes.length !== entry.size || crc32(bytes) !== entry.crc32)
      throw new EngineError("bad-input", "does not match its checksum", { where, fix: "fetch or save the file again" });
    return bytes;
  }

  /** The first bytes of an entry, at most `length`, unchecked: enough to tell what a large one is. */
  async readStart(entry: ZipEntry, length: number): Promise<Uint8Array<ArrayBuffer>> {
    // Deflated bytes are shorter than their content, or hardly longer.
    const packed = await this.#packed(entry, Math.min(entry.compressedSize, 2 * length));
    if (entry.method === 0) return packed.subarray(0, length);
    return await inflate(packed, Math.min(entry.size, length), `${this.source.name}: ${entry.name}`, true);
  }

  async #packed(entry: ZipEntry, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (entry.method === 0 || entry.method === 8) return await this.source.read(await this.dataOffset(entry), length);
    throw new EngineError("bad-input", "unknown zip compression", {
      where: `${this.source.name}: ${entry.name}`,
      expected: "stored or deflated",
      actual: entry.method,
    });
  }
}

function readEntry(
  source: ByteSource,
  directory: Uint8Array,
  view: DataView,
  at: number,
  nameLength: number,
  extraLength: number,
): ZipEntry {
  const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameLength));
  const fields = [24, 20, 42].map((field) => view.getUint32(at + field, true));
  const extra = new DataView(view.buffer, view.byteOffset + at + 46 + nameLength, extraLength);
  const [size, compressedSize, headerOffset] = widen(source, name, fields, extra);
  return {
    name,
    method: view.getUint16(at + 10, true),
    size,
    compressedSize,
    crc32: view.getUint32(at + 16, true),
    isEncrypted: (view.getUint16(at + 8, true) & 1) !== 0,
    headerOffset,
  };
}

/** Replaces the fields that do not fit 32 bits by those of the zip64 extra, which holds exactly these, in this order. */
function widen(source: ByteSource, name: string, fields: number[], extra: DataView): number[] {
  if (!fields.includes(in64)) return fields;
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    return fields.map((field) => {
      if (field !== in64) return field;
      if (next + 8 > extra.byteLength) throw damaged(source, `${name} has a damaged zip64 field`);
      const wide = Number(extra.getBigUint64(next, true));
      next += 8;
      return wide;
    });
  }
  throw damaged(source, `${name} has no zip64 field`);
}

async function findDirectory(source: ByteSource): Promise<{ offset: number; size: number; count: number }> {
  // The end record is followed only by a comment of at most 65,535 bytes; the locator of a zip64 stands before it.
  const tailSize = Math.min(source.size, 20 + 22 + 65535);
  const tail = await source.read(source.size - tailSize, tailSize);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let end = tail.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== endSignature) end--;
  if (end < 0) throw damaged(source, "is not a zip archive", "no end record");
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  const offset = view.getUint32(end + 16, true);
  if (count !== 0xffff && size !== in64 && offset !== in64) return { offset, size, count };
  if (end < 20 || view.getUint32(end - 20, true) !== locator64Signature) return { offset, size, count };
  const at = Number(view.getBigUint64(end - 20 + 8, true));
  const record = await source.read(at, 56);
  const wide = new DataView(record.buffer, record.byteOffset, record.byteLength);
  if (wide.getUint32(0, true) !== end64Signature) throw damaged(source, "has a damaged zip64 end record");
  const [wideCount, wideSize, wideOffset] = [32, 40, 48].map((field) => Number(wide.getBigUint64(field, true)));
  return { count: wideCount, size: wideSize, offset: wideOffset };
}

/** Inflates raw deflate data and stops once it yields more than its entry declares. A start may have more after it. */
async function inflate(
  packed: Uint8Array<ArrayBuffer>,
  size: number,
  where: string,
  isStart = false,
): Promise<Uint8Array<ArrayBuffer>> {
  const result = new Uint8Array(size);
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  let filled = 0;
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      if (filled + chunk.value.length > size && !isStart) throw new RangeError("more bytes than its entry says");
      const part = chunk.value.subarray(0, size - filled);
      result.set(part, filled);
      filled += part.length;
      if (isStart && filled === size) break;
    }
    if (isStart) await reader.cancel();
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    throw new EngineError("bad-input", "cannot be inflated", { where, fix: "fetch or save the file again", cause });
  }
  return result.subarray(0, filled);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, i) => {
  let c = i;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** CRC-32 (ISO 3309) as zip uses it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** A zip archive of stored files, dated 1980-01-01 so that equal contents give equal bytes. */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, bytes] of files) {
    const encoded = new TextEncoder().encode(name);
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true); // version needed
    common.setUint16(2, 0x800, true); // the name is UTF-8
    common.setUint16(8, 0x21, true); // 1980-01-01
    common.setUint32(10, crc32(bytes), true);
    common.setUint32(14, bytes.length, true);
    common.setUint32(18, bytes.length, true);
    common.setUint16(22, encoded.length, true);
    const central = new DataView(new ArrayBuffer(46));
    central.setUint32(0, centralSignature, true);
    central.setUint16(4, 20, true);
    new Uint8Array(central.buffer).set(new Uint8Array(common.buffer), 6);
    central.setUint32(42, offset, true);
    directory.push(new Uint8Array(central.buffer), encoded);
    const local = new Uint8Array(30);
    new DataView(local.buffer).setUint32(0, localSignature, true);
    local.set(new Uint8Array(common.buffer), 4);
    parts.push(local, encoded, bytes);
    offset += 30 + encoded.length + bytes.length;
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, endSignature, true);
  end.setUint16(8, files.size, true);
  end.setUint16(10, files.size, true);
  end.setUint32(
    12,
    directory.reduce((sum, part) => sum + part.length, 0),
    true,
  );
  end.setUint32(16, offset, true);
  return concatenate([...parts, ...directory, new Uint8Array(end.buffer)]);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
