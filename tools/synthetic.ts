import { writeFile } from "node:fs/promises";
import path from "node:path";
import { BarkConfig } from "../bark/config/config.ts";
import { BarkGenerationConfig } from "../bark/config/generation_config.ts";
import type { BarkFromPretrainedOptions } from "../bark/load/load_options.ts";
import type { CheckpointSource } from "../bark/load/open_checkpoint.ts";
import { BarkModel } from "../bark/model.ts";
import { MemoryStore } from "../checkpoint/stores/memory.ts";

interface BarkSize {
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number;
}

/** The published sizes, and one whose GPTs cost next to nothing (codec and vocabularies keep their size). */
export const syntheticSizes = {
  small: { layers: 12, heads: 12, hidden: 768 },
  large: { layers: 24, heads: 16, hidden: 1024 },
  tiny: { layers: 2, heads: 2, hidden: 64 },
} satisfies Record<string, BarkSize>;
export type SyntheticSize = keyof typeof syntheticSizes;

const bertVocabulary = 119547;

/** A Bark to load: a checkpoint, or a new model. */
export interface Subject {
  readonly name: string;
  /** Of the processor. */
  readonly files: CheckpointSource;
  load(options: Pick<BarkFromPretrainedOptions, "gpu" | "dtype" | "low_memory">): Promise<BarkModel>;
}

/**
 * A new Bark of a published size, for what shows only at true size, such as limits, memory and speed. It speaks noise.
 * Nothing is on disk, and nothing but what is read in memory.
 */
export function syntheticBark(size: SyntheticSize): Subject {
  const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);
  const name = `synthetic ${size}`;
  return {
    name,
    files: new MemoryStore(
      new Map([
        ["vocab.txt", text(vocabulary().join("\n"))],
        ["tokenizer_config.json", text(JSON.stringify({ do_lower_case: false }))],
        ["generation_config.json", text(JSON.stringify(generationConfig().to_dict()))],
      ]),
      name,
    ),
    load: (options) =>
      BarkModel.from_config(syntheticConfig(size), { ...options, generation_config: generationConfig(), seed: 1 }),
  };
}

/** Writes a synthetic checkpoint (small: 1.7 GB, large: 4.5 GB) to `folder`. */
export async function writeSyntheticCheckpoint(folder: string, size: SyntheticSize): Promise<void> {
  const model = await syntheticBark(size).load({ low_memory: true });
  await model.save_pretrained(folder);
  model.dispose();
  await writeFile(path.join(folder, "vocab.txt"), vocabulary().join("\n"));
  await writeFile(path.join(folder, "tokenizer_config.json"), JSON.stringify({ do_lower_case: false }));
}

/** That of `suno/bark-small` (small) or `suno/bark` (large). */
export function syntheticConfig(size: SyntheticSize): BarkConfig {
  const { layers, heads, hidden } = syntheticSizes[size];
  const gpt = { num_layers: layers, num_heads: heads, hidden_size: hidden, block_size: 1024, bias: false };
  return new BarkConfig({
    semantic_config: { ...gpt, input_vocab_size: 129600, output_vocab_size: 10048 },
    coarse_acoustics_config: { ...gpt, input_vocab_size: 12096, output_vocab_size: 12096 },
    fine_acoustics_config: { ...gpt, input_vocab_size: 1056, output_vocab_size: 1056 },
  });
}

function generationConfig(): BarkGenerationConfig {
  const sampling = { do_sample: true, temperature: 0.7, top_k: 50 };
  return new BarkGenerationConfig({
    semantic_config: { ...sampling, eos_token_id: 10000, max_new_tokens: 768 },
    coarse_acoustics_config: sampling,
    fine_acoustics_config: { temperature: 0.5 },
  });
}

/** As long as that of bert-base-multilingual-cased, special ids in their places; letters so that any text has tokens. */
function vocabulary(): string[] {
  const letters = Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'-");
  const words = ["[PAD]", ...Array.from({ length: 99 }, (_, i) => `[unused${i + 1}]`)];
  words.push("[UNK]", "[CLS]", "[SEP]", "[MASK]", ...letters, ...letters.map((letter) => `##${letter}`));
  while (words.length < bertVocabulary) words.push(`[word${words.length}]`);
  return words;
}
