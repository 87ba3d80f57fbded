import { writeSafetensors } from "../../checkpoint/safetensors/writer.ts";
import { isStorable, storedTensor } from "../../checkpoint/stored_tensor.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import type { SaveFolder } from "./save_folder.ts";

/**
 * Writes every weight of a checkpoint to `model.safetensors`, in the dtype in which it is stored (F64 as F32); one block is
 * in memory at a time. Causal masks of older files are left out, as are tensors that are no floats: nothing reads them.
 */
export async function saveWeights(reader: TensorReader, folder: SaveFolder): Promise<void> {
  const names = [...reader.names()].filter(
    (name) => isStorable(reader.info(name).dtype) && !name.endsWith(".attn.bias"),
  );
  await folder.write("model.safetensors", writeSafetensors(names.flatMap((name) => storedTensor(reader, name))));
}
