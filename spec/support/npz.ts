import { NpzFile } from "../../checkpoint/numpy/npz.ts";
import type { ByteSource } from "../../checkpoint/sources/byte_source.ts";
import type { NdArray } from "../../engine/ndarray.ts";

/** All arrays of an `.npz`, by name. */
export async function readNpz(source: ByteSource): Promise<Map<string, NdArray>> {
  const file = await NpzFile.open(source);
  const arrays = new Map<string, NdArray>();
  for (const name of file.names) arrays.set(name, (await file.read(name))!);
  return arrays;
}
