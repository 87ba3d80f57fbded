import { isObject, type JsonObject } from "../engine/check/json_fields.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import type { WritableTensor } from "../checkpoint/safetensors/writer.ts";
import { readBlocks, storedTensor, type TargetDtype } from "../checkpoint/stored_tensor.ts";

/** Causal masks, and sizes that some versions of transformers kept as buffers. Code makes them anew. */
const notWeights = /\.attn\.bias$|^codec_model\..*\.(stride|kernel_size|padding_total)$/;

/**
 * The tensors of a checkpoint to be written as `dtype` (default: as stored), without buffers that are not weights
 * and without heads that share their embedding's matrix.
 * @param config the parsed `config.json`.
 */
export async function planTensors(
  reader: TensorReader,
  config: JsonObject,
  dtype?: TargetDtype,
): Promise<WritableTensor[]> {
  const tensors: WritableTensor[] = [];
  for (const name of reader.names())
    if (!notWeights.test(name) && !(await isTied(reader, name, config)))
      tensors.push(...storedTensor(reader, name, dtype));
  return tensors;
}

/** `lm_heads.i` of the fine model is `input_embeds_layers.{i+1}` (bark-spec 2.1), which loaders take for it. */
async function isTied(reader: TensorReader, name: string, config: JsonObject): Promise<boolean> {
  const match = /^(fine_acoustics\.|)lm_heads\.(\d+)\.weight$/.exec(name);
  if (match === null) return false;
  const embedding = `${match[1]}input_embeds_layers.${Number(match[2]) + 1}.weight`;
  const fine = config["fine_acoustics_config"] ?? config;
  if (!isObject(fine) || fine["tie_word_embeddings"] === false || (fine["n_codes_given"] ?? 1) !== 1) return false;
  return reader.has(embedding) && (await areEqual(reader, name, embedding));
}

async function areEqual(reader: TensorReader, a: string, b: string): Promise<boolean> {
  if (JSON.stringify(reader.info(a).shape) !== JSON.stringify(reader.info(b).shape)) return false;
  const others = readBlocks(reader, b);
  for await (const values of readBlocks(reader, a)) {
    const other = (await others.next()).value as Float32Array;
    if (values.some((value, i) => value !== other[i])) return false;
  }
  return true;
}
