import type { ByteSource } from "../engine/byte_source.ts";
import type { NdArray } from "../engine/ndarray.ts";
import { parseNpy, writeNpyInt64 } from "./npy.ts";
import { writeZip, ZipReader } from "./zip.ts";

/** Voices are a few hundred kilobytes; what unpacks to more than this, all members together, is refused before it is. */
const maxBytes = 32 * 2 ** 20;

/** The arrays of an `.npz` by name, stored or deflated. @throws EngineError `bad-input`, also for more than 32 MiB. */
export async function readNpz(source: ByteSource): Promise<Map<string, NdArray>> {
  const zip = await ZipReader.open(source);
  const arrays = new Map<string, NdArray>();
  let left = maxBytes;
  for (const entry of zip.entries.values()) {
    if (!entry.name.endsWith(".npy")) continue;
    const bytes = await zip.read(entry, left);
    left -= bytes.length;
    arrays.set(entry.name.slice(0, -".npy".length), parseNpy(bytes, `${source.name}: ${entry.name}`));
  }
  return arrays;
}

/** Integer arrays as an `.npz` of little-endian int64, uncompressed, as `numpy.savez` writes it. */
export function writeNpz(arrays: Readonly<Record<string, NdArray>>): Uint8Array<ArrayBuffer> {
  return writeZip(new Map(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpyInt64(array)])));
}
