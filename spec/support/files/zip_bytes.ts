import { deflateRawSync } from "node:zlib";
import { crc32 } from "../../../checkpoint/zip.ts";

/** One file of a zip archive; whatever is given in place of what follows from the content may be wrong. */
export interface ZipMember {
  name: string;
  content: Uint8Array;
  deflated?: boolean;
  method?: number;
  /** General purpose flags: 1 encrypted, 8 sizes behind the data. */
  flags?: number;
  crc?: number;
  size?: number;
  packedSize?: number;
  /** Sizes and offset in the zip64 field alone. */
  zip64?: boolean;
  /** Extra field of the local header, which the directory does not repeat. */
  padding?: number;
  /** Extra field of the directory, in place of that of `zip64`. */
  extra?: Uint8Array;
  /** In the directory. */
  comment?: Uint8Array;
}

export interface ZipEnd {
  comment?: Uint8Array;
  /** Count, size and offset of the directory (or these of them) in the zip64 record alone. */
  zip64?: boolean | readonly ("count" | "size" | "offset")[];
  count?: number;
}

/** A zip archive field by field (PKWARE APPNOTE 6.3.9), other than `writeZip` does it. */
export function zipBytes(members: readonly ZipMember[], end: ZipEnd = {}): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  for (const member of members) {
    const packed = member.deflated ? deflateRawSync(member.content) : member.content;
    const name = new TextEncoder().encode(member.name);
    const size = member.size ?? member.content.length;
    const packedSize = member.packedSize ?? packed.length;
    const narrow = (value: number): number => (member.zip64 ? 0xffffffff : value);
    const common = (extra: number): [number, number][] => [
      [2, 45],
      [2, member.flags ?? 0],
      [2, member.method ?? (member.deflated ? 8 : 0)],
      [4, 0],
      [4, member.crc ?? crc32(member.content)],
      [4, narrow(packedSize)],
      [4, narrow(size)],
      [2, name.length],
      [2, extra],
    ];
    const offset = lengthOf(parts);
    const zip64 = member.zip64
      ? fields([2, 0x7075], [2, 1], [1, 0], [2, 1], [2, 24], [8, size], [8, packedSize], [8, offset])
      : new Uint8Array(0);
    const wide = member.extra ?? zip64;
    const comment = member.comment ?? new Uint8Array(0);
    const rest: [number, number][] = [
      [2, comment.length],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, narrow(offset)],
    ];
    directory.push(fields([4, 0x02014b50], [2, 45], ...common(wide.length), ...rest), name, wide, comment);
    const padding = new Uint8Array(member.padding ?? 0);
    parts.push(fields([4, 0x04034b50], ...common(padding.length)), name, padding, packed);
  }
  const offset = lengthOf(parts);
  const size = lengthOf(directory);
  const count = end.count ?? members.length;
  const comment = end.comment ?? new Uint8Array(0);
  const at = offset + size;
  const wide = end.zip64
    ? [
        fields(
          [4, 0x06064b50],
          [8, 44],
          [2, 45],
          [2, 45],
          [4, 0],
          [4, 0],
          [8, count],
          [8, count],
          [8, size],
          [8, offset],
        ),
        fields([4, 0x07064b50], [4, 0], [8, at], [4, 1]),
      ]
    : [];
  const isWide = (field: "count" | "size" | "offset"): boolean =>
    Array.isArray(end.zip64) ? end.zip64.includes(field) : end.zip64 === true;
  const count16 = isWide("count") ? 0xffff : count;
  const size32 = isWide("size") ? 0xffffffff : size;
  const offset32 = isWide("offset") ? 0xffffffff : offset;
  const last = fields(
    [4, 0x06054b50],
    [4, 0],
    [2, count16],
    [2, count16],
    [4, size32],
    [4, offset32],
    [2, comment.length],
  );
  return join([...parts, ...directory, ...wide, last, comment]);
}

/** Little-endian integers, each as [bytes, value]. */
function fields(...list: readonly [bytes: number, value: number][]): Uint8Array {
  return Uint8Array.from(
    list.flatMap(([bytes, value]) => Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256)),
  );
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(lengthOf(parts));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
