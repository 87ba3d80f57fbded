import { JsonFields, type JsonObject } from "../../engine/check/json_fields.ts";
import type { TorchFile } from "../torch/torch_file.ts";
import type { SunoCheckpoint } from "./checkpoint.ts";
import { codecConfig } from "./codec_config.ts";
import { PythonFloat } from "./python_json.ts";

/** `config.json` of a Bark whose models are suno's. @throws EngineError `bad-input` if a file lacks its `model_args`. */
export function sunoConfig({ gpts, codec }: SunoCheckpoint): Record<string, unknown> {
  return {
    architectures: ["BarkModel"],
    model_type: "bark",
    semantic_config: gptConfig(gpts.semantic, "semantic"),
    coarse_acoustics_config: gptConfig(gpts.coarse_acoustics, "coarse_acoustics"),
    fine_acoustics_config: {
      ...gptConfig(gpts.fine_acoustics, "fine_acoustics"),
      ...integers(modelArgs(gpts.fine_acoustics), { n_codes_total: "n_codes_total", n_codes_given: "n_codes_given" }),
      tie_word_embeddings: true,
    },
    codec_config: codecConfig(codec),
    initializer_range: 0.02,
  };
}

function gptConfig(file: TorchFile, model_type: string): Record<string, unknown> {
  const args = modelArgs(file);
  const vocabulary = args.has("input_vocab_size")
    ? { input_vocab_size: "input_vocab_size", output_vocab_size: "output_vocab_size" }
    : { input_vocab_size: "vocab_size", output_vocab_size: "vocab_size" };
  return {
    model_type,
    ...integers(args, {
      num_layers: "n_layer",
      num_heads: "n_head",
      hidden_size: "n_embd",
      block_size: "block_size",
      ...vocabulary,
    }),
    bias: args.boolean("bias", false),
    dropout: new PythonFloat(0),
  };
}

/** Fields by their names in transformers, from those by suno's. */
function integers(args: JsonFields, names: Readonly<Record<string, string>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(names).map(([field, name]) => {
      return [field, args.integer(name, 0, { min: 1 })];
    }),
  );
}

function modelArgs({ root, source }: TorchFile): JsonFields {
  const args: unknown = root instanceof Map ? root.get("model_args") : undefined;
  return new JsonFields(args instanceof Map ? fieldsOf(args) : undefined, `${source.name}: model_args`);
}

/** Shows anything but a plain value by its kind alone: an error may show it, and it may be nested endlessly. */
function fieldsOf(args: ReadonlyMap<unknown, unknown>): JsonObject {
  const fields = Array.from(args).filter((entry): entry is [string, unknown] => typeof entry[0] === "string");
  return Object.fromEntries(
    fields.map(([name, value]) => [name, ["number", "boolean"].includes(typeof value) ? value : typeof value]),
  );
}

/**
 * `generation_config.json` of the published Barks (bark-spec 2.3). These numbers are constants of suno's code; its files
 * do not hold them.
 */
export const sunoGenerationConfig = {
  model_type: "bark",
  sample_rate: 24_000,
  codebook_size: 1024,
  semantic_config: {
    do_sample: true,
    temperature: 0.7,
    top_k: 50,
    max_new_tokens: 768,
    renormalize_logits: true,
    eos_token_id: 10_000,
    semantic_pad_token: 10_000,
    text_encoding_offset: 10_048,
    text_pad_token: 129_595,
    semantic_infer_token: 129_599,
    semantic_vocab_size: 10_000,
    max_input_semantic_length: 256,
    semantic_rate_hz: 49.9,
  },
  coarse_acoustics_config: {
    do_sample: true,
    temperature: 0.7,
    top_k: 50,
    renormalize_logits: true,
    coarse_semantic_pad_token: 12_048,
    coarse_rate_hz: 75,
    n_coarse_codebooks: 2,
    coarse_infer_token: 12_050,
    max_coarse_input_length: 256,
    max_coarse_history: 630,
    sliding_window_len: 60,
  },
  fine_acoustics_config: {
    temperature: 0.5,
    max_fine_history_length: 512,
    max_fine_input_length: 1024,
    n_fine_codebooks: 8,
  },
} as const;

/** `tokenizer_config.json` for the `vocab.txt` of bert-base-multilingual-cased, which suno's code uses. */
export const sunoTokenizerConfig = {
  tokenizer_class: "BertTokenizer",
  do_lower_case: false,
  tokenize_chinese_chars: true,
  strip_accents: null,
  unk_token: "[UNK]",
  sep_token: "[SEP]",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  mask_token: "[MASK]",
  model_max_length: 512,
} as const;
