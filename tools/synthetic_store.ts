import type { ByteSource } from "../checkpoint/sources/byte_source.ts";
import type { FileStore } from "../checkpoint/stores/file_store.ts";
import { checkRange, MemorySource } from "../checkpoint/sources/memory.ts";
import { barkInventory, barkSizes, type BarkSize, type InventoryTensor } from "./inventory.ts";

/** The published sizes, and one whose GPTs cost next to nothing (codec and vocabularies keep their size). */
export const syntheticSizes = { ...barkSizes, tiny: { layers: 2, heads: 2, hidden: 64 } } satisfies Record<
  string,
  BarkSize
>;
export type SyntheticSize = keyof typeof syntheticSizes;

const bertVocabulary = 119547;
const hashBytes = 1 << 24;

/**
 * A checkpoint with the exact tensors of a published Bark and made-up values: for what shows only at true size, such as
 * limits, memory and speed. It speaks noise. The weights exist only as ranges that somebody reads.
 */
export class SyntheticStore implements FileStore {
  readonly name: string;
  readonly #files: ReadonlyMap<string, ByteSource>;

  constructor(sizeName: SyntheticSize) {
    this.name = `synthetic ${sizeName}`;
    const size = syntheticSizes[sizeName];
    const text = (name: string, content: string): [string, ByteSource] => [
      name,
      new MemorySource(`${this.name}/${name}`, new TextEncoder().encode(content)),
    ];
    this.#files = new Map<string, ByteSource>([
      text("config.json", JSON.stringify(config(size), undefined, 1)),
      text("generation_config.json", JSON.stringify(generationConfig, undefined, 1)),
      text("vocab.txt", vocabulary().join("\n")),
      text("tokenizer_config.json", JSON.stringify({ do_lower_case: false })),
      ["model.safetensors", new SyntheticWeights(`${this.name}/model.safetensors`, barkInventory(size))],
    ]);
  }

  get paths(): string[] {
    return [...this.#files.keys()];
  }

  async open(path: string): Promise<ByteSource | undefined> {
    return Promise.resolve(this.#files.get(path));
  }
}

interface Region {
  readonly begin: number;
  readonly end: number;
  /** What all its values are; otherwise they are hashed. */
  readonly constant: 0 | 1 | undefined;
}

/** The bytes of a safetensors file with these tensors. */
class SyntheticWeights implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #header: Uint8Array;
  readonly #regions: readonly Region[];

  constructor(name: string, tensors: readonly InventoryTensor[]) {
    this.name = name;
    this.#header = safetensorsHeader(tensors);
    let begin = this.#header.length;
    this.#regions = tensors.map((tensor) => {
      const end = begin + bytesOf(tensor);
      const region = { begin, end, constant: constantOf(tensor) };
      begin = end;
      return region;
    });
    this.size = begin;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    const bytes = new Uint8Array(length);
    bytes.set(this.#header.subarray(Math.min(offset, this.#header.length), offset + length));
    for (const { begin, end, constant } of this.#regions) {
      const from = Math.max(begin, offset);
      const to = Math.min(end, offset + length);
      if (from < to) fill(bytes.subarray(from - offset, to - offset), from, constant);
    }
    return Promise.resolve(bytes);
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Writes values as they stand from byte `at` of the file on: no two tensors begin alike. */
function fill(bytes: Uint8Array, at: number, constant: Region["constant"]): void {
  if (constant === 0) return;
  const source = constant === 1 ? ones() : hashed();
  for (let done = 0; done < bytes.length;) {
    const begin = (at + done) % hashBytes;
    const part = source.subarray(begin, Math.min(hashBytes, begin + bytes.length - done));
    bytes.set(part, done);
    done += part.length;
  }
}

function constantOf({ name, dtype }: InventoryTensor): Region["constant"] {
  if (dtype === "BOOL") return 0;
  return /layernorm.*weight$|weight_g$/.test(name) ? 1 : undefined;
}

let hashedBytes: Uint8Array | undefined;
let oneBytes: Uint8Array | undefined;

/** 4 M values in [-0.06, 0.06) (xorshift32), repeated through every tensor: 1.1 G fresh ones would take minutes. */
function hashed(): Uint8Array {
  if (hashedBytes !== undefined) return hashedBytes;
  const values = new Float32Array(hashBytes / 4);
  let state = 0x2545f491;
  for (let i = 0; i < values.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = (state / 2 ** 31) * 0.06;
  }
  return (hashedBytes = new Uint8Array(values.buffer));
}

function ones(): Uint8Array {
  return (oneBytes ??= new Uint8Array(new Float32Array(hashBytes / 4).fill(1).buffer));
}

function bytesOf({ dtype, shape }: InventoryTensor): number {
  return shape.reduce((product, extent) => product * extent, 1) * (dtype === "F32" ? 4 : 1);
}

/** Length and JSON, padded to eight bytes. */
function safetensorsHeader(tensors: readonly InventoryTensor[]): Uint8Array {
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const tensor of tensors) {
    const end = offset + bytesOf(tensor);
    header[tensor.name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
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
