import { writeSafetensors } from "../../checkpoint/safetensors/writer.ts";
import { isStorable, storedTensor } from "../../checkpoint/stored_tensor.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import type { PreTrainedConfig } from "../../engine/check/pretrained_config.ts";
import { configJson } from "../../engine/check/config_json.ts";
import type { SaveFolder } from "./save_folder.ts";

/** Weights of a model: the tensors of a checkpoint whose names begin with a prefix, which a saved file does not have. */
export interface ModelWeights {
  readonly reader: TensorReader;
  readonly prefix: string;
}

/** transformers' names of the dtypes that it has. */
const dtypeNames: Readonly<Record<string, string>> = {
  F32: "float32",
  F64: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/**
 * Writes every weight to `model.safetensors`, in the dtype in which it is stored (F64 as F32); one block is in memory at a
 * time. Causal masks of older files are left out, as are tensors that are no floats: nothing reads them.
 */
export async function saveWeights({ reader, prefix }: ModelWeights, folder: SaveFolder): Promise<void> {
  const names = [...reader.names()].filter(
    (name) => name.startsWith(prefix) && isStorable(reader.info(name).dtype) && !name.endsWith(".attn.bias"),
  );
  const tensors = names.flatMap((name) => storedTensor(reader, name));
  const own = tensors.map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }));
  await folder.write("model.safetensors", writeSafetensors(own));
}

/** The first dtype among the weights, as a config of transformers names it; none for q8. */
export function savedDtype({ reader, prefix }: ModelWeights): { dtype?: string } {
  const stored = [...reader.names()].filter((name) => name.startsWith(prefix)).map((name) => reader.info(name).dtype);
  const dtype = stored.map((name) => dtypeNames[name]).find((name) => name !== undefined);
  return dtype === undefined ? {} : { dtype };
}

/** Writes weights and, last, `config.json`: a folder without it does not look like a checkpoint. */
export async function saveModel(
  folder: SaveFolder,
  weights: ModelWeights,
  architecture: string,
  config: PreTrainedConfig,
): Promise<void> {
  await saveWeights(weights, folder);
  const about = { architectures: [architecture], ...savedDtype(weights) };
  const json = configJson({ ...config.to_diff_dict(), ...about }, { sorted: true });
  await folder.write("config.json", new TextEncoder().encode(json));
}
