import { mkdir, open, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { barkInventory, barkSizes, type BarkSize, type InventoryTensor } from "./inventory.ts";

const bertVocabulary = 119547;

/**
 * Writes a checkpoint with the exact tensors of a published Bark (1.7 GB or 4.5 GB) and made-up values to `folder`:
 * for what shows only at true size, such as limits and memory. It speaks noise.
 */
export async function writeSyntheticCheckpoint(folder: string, name: keyof typeof barkSizes): Promise<void> {
  const size = barkSizes[name];
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "config.json"), JSON.stringify(config(size), undefined, 1));
  await writeFile(path.join(folder, "generation_config.json"), JSON.stringify(generationConfig, undefined, 1));
  await writeFile(path.join(folder, "vocab.txt"), vocabulary().join("\n"));
  await writeFile(path.join(folder, "tokenizer_config.json"), JSON.stringify({ do_lower_case: false }));
  await writeWeights(path.join(folder, "model.safetensors"), barkInventory(size));
}

function config({ layers, heads, hidden }: BarkSize): object {
  const gpt = { num_layers: layers, num_heads: heads, hidden_size: hidden, block_size: 1024, bias: false };
  return {
    model_type: "bark",
    semantic_config: { ...gpt, input_vocab_size: 129600, output_vocab_size: 10048 },
    coarse_acoustics_config: { ...gpt, input_vocab_size: 12096, output_vocab_size: 12096 },
    fine_acoustics_config: {
      ...gpt,
      input_vocab_size: 1056,
      output_vocab_size: 1056,
      n_codes_total: 8,
      n_codes_given: 1,
    },
    codec_config: { model_type: "encodec" },
  };
}

const generationConfig = {
  model_type: "bark",
  sample_rate: 24000,
  codebook_size: 1024,
  semantic_config: { do_sample: true, temperature: 0.7, top_k: 50, eos_token_id: 10000, max_new_tokens: 768 },
  coarse_acoustics_config: { do_sample: true, temperature: 0.7, top_k: 50 },
  fine_acoustics_config: { temperature: 0.5 },
};

/** As long as that of bert-base-multilingual-cased, special ids in their places; letters so that any text has tokens. */
function vocabulary(): string[] {
  const letters = Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'-");
  const words = ["[PAD]", ...Array.from({ length: 99 }, (_, i) => `[unused${i + 1}]`)];
  words.push("[UNK]", "[CLS]", "[SEP]", "[MASK]", ...letters, ...letters.map((letter) => `##${letter}`));
  while (words.length < bertVocabulary) words.push(`[word${words.length}]`);
  return words;
}

async function writeWeights(file: string, tensors: readonly InventoryTensor[]): Promise<void> {
  const header: Record<string, unknown> = {};
  let offset = 0;
  const bytesOf = ({ dtype, shape }: InventoryTensor): number =>
    shape.reduce((product, extent) => product * extent, 1) * (dtype === "F32" ? 4 : 1);
  for (const tensor of tensors) {
    const end = offset + bytesOf(tensor);
    header[tensor.name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  const random = randomBlock();
  const temporary = `${file}.${process.pid}`;
  const handle = await open(temporary, "w");
  try {
    await handle.write(length);
    await handle.write(json);
    for (const tensor of tensors) await writeTensor(handle, tensor, bytesOf(tensor), random);
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

type Handle = Awaited<ReturnType<typeof open>>;

async function writeTensor(
  handle: Handle,
  tensor: InventoryTensor,
  bytes: number,
  random: Float32Array,
): Promise<void> {
  if (tensor.dtype === "BOOL") return void (await handle.write(new Uint8Array(bytes)));
  if (/layernorm.*weight$|weight_g$/.test(tensor.name)) {
    return void (await handle.write(new Float32Array(bytes / 4).fill(1)));
  }
  for (let left = bytes / 4; left > 0; left -= random.length)
    await handle.write(left < random.length ? random.subarray(0, left) : random);
}

/** 4 M values in [-0.06, 0.06) (xorshift32), repeated through the file: making 1.1 G fresh ones would take minutes. */
function randomBlock(): Float32Array {
  const values = new Float32Array(1 << 22);
  let state = 0x2545f491;
  for (let i = 0; i < values.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = (state / 2 ** 31) * 0.06;
  }
  return values;
}
