import { NpzFile } from "../../../checkpoint/numpy/npz.ts";
import type { ByteSource } from "../../../checkpoint/sources/byte_source.ts";
import type { NdArray } from "../../../engine/ndarray.ts";
import type { ZipMember } from "./zip_bytes.ts";

/** All arrays of an `.npz`, by name. */
export async function readNpz(source: ByteSource): Promise<Map<string, NdArray>> {
  const file = await NpzFile.open(source);
  const arrays = new Map<string, NdArray>();
  for (const name of file.names) arrays.set(name, (await file.read(name))!);
  return arrays;
}

/** Zeros of this many bytes in all, its header included; deflated to a thousandth. */
export function zeros(name: string, size: number): ZipMember {
  const text = (count: number): string =>
    `{'descr': '|u1', 'fortran_order': False, 'shape': (${count},), }`.padEnd(117);
  const content = new Uint8Array(size);
  content.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0]);
  content.set(new TextEncoder().encode(`${text(size - 128)}\n`), 10);
  return { name, content, deflated: true };
}
