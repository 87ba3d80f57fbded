import { writeSafetensors, type WritableTensor } from "../convert/safetensors_writer.ts";
import { packHalves } from "../engine/float16.ts";
import type { TensorReader } from "../engine/tensor_reader.ts";
import type { SaveFolder } from "./save_folder.ts";

type Values = Float32Array<ArrayBuffer>;

const f32 = { dtype: "F32", bytes: 4, pack: (values: Values) => new Uint8Array(values.buffer) } as const;
const f16 = {
  dtype: "F16",
  bytes: 2,
  pack: (values: Values) => new Uint8Array(packHalves(values).buffer, 0, 2 * values.length),
} as const;
const bf16 = {
  dtype: "BF16",
  bytes: 2,
  // Values that were read as bfloat16 have nothing in their lower halves.
  pack: (values: Values) =>
    new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16).buffer),
} as const;

/** How a dtype is stored again. */
const stores: Readonly<Record<string, typeof f32 | typeof f16 | typeof bf16>> = {
  F32: f32,
  F64: f32,
  F16: f16,
  BF16: bf16,
};

/**
 * Writes every weight of a checkpoint to `model.safetensors`, in the dtype in which it is stored (F64 as F32); one is in
 * memory at a time. Causal masks of older files are left out, as are tensors that are no floats: nothing reads them.
 */
export async function saveWeights(reader: TensorReader, folder: SaveFolder): Promise<void> {
  const names = [...reader.names()].filter((name) => reader.info(name).dtype in stores && !name.endsWith(".attn.bias"));
  await folder.write("model.safetensors", writeSafetensors(names.map((name) => writable(reader, name))));
}

function writable(reader: TensorReader, name: string): WritableTensor {
  const { dtype: found, shape } = reader.info(name);
  const { dtype, bytes, pack } = stores[found];
  const byteLength = shape.reduce((product, extent) => product * extent, bytes as number);
  return { name, dtype, shape, byteLength, read: async () => pack(await reader.readFloat32(name)) };
}
