import type { ByteSource } from "../sources/byte_source.ts";
import type { NdArray } from "../../engine/ndarray.ts";
import { parseNpy, writeNpyInt64 } from "./npy.ts";
import { writeZip, ZipReader } from "../zip.ts";

/** Most bytes of all unpacked arrays; a voice has a few hundred kilobytes. More is refused before it is unpacked. */
export const maxNpzBytes = 32 * 2 ** 20;

/**
 * The arrays of an `.npz`, stored or deflated. Each is decoded on request: many files that circulate as voices also hold
 * texts, objects or macOS's own files.
 */
export class NpzFile {
  readonly #zip: ZipReader;
  #left = maxNpzBytes;

  private constructor(zip: ZipReader) {
    this.#zip = zip;
  }

  /** @throws EngineError `bad-input` if it is not a zip archive. */
  static async open(source: ByteSource): Promise<NpzFile> {
    return new NpzFile(await ZipReader.open(source));
  }

  get names(): string[] {
    return [...this.#zip.entries.keys()].filter(isArray).map((name) => name.slice(0, -ending.length));
  }

  /** The array of this name, or undefined if it is missing. @throws EngineError `bad-input`, also for more than 32 MiB. */
  async read(name: string): Promise<NdArray | undefined> {
    const entry = this.#zip.entries.get(name + ending);
    if (entry === undefined) return undefined;
    const bytes = await this.#zip.read(entry, this.#left);
    this.#left -= bytes.length;
    return parseNpy(bytes, `${this.#zip.source.name}: ${entry.name}`);
  }
}

const ending = ".npy";
const isArray = (name: string): boolean => name.endsWith(ending);

/** Integer arrays as an `.npz` of little-endian int64, uncompressed, as `numpy.savez` writes it. */
export function writeNpz(arrays: Readonly<Record<string, NdArray>>): Uint8Array<ArrayBuffer> {
  return writeZip(new Map(Object.entries(arrays).map(([name, array]) => [name + ending, writeNpyInt64(array)])));
}
