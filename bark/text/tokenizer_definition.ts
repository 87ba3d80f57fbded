import { EngineError } from "../../engine/errors.ts";
import { isObject, type JsonObject } from "../../engine/check/json_fields.ts";

const specialTokens = {
  unk_token: "[UNK]",
  sep_token: "[SEP]",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  mask_token: "[MASK]",
} as const;

export type SpecialToken = keyof typeof specialTokens;
export const specialTokenNames = Object.keys(specialTokens) as SpecialToken[];

export function specialToken(config: JsonObject, name: SpecialToken): string {
  const value = config[name];
  const content = isObject(value) ? value["content"] : value;
  return typeof content === "string" ? content : specialTokens[name];
}

function bertNormalizer(config: JsonObject): JsonObject {
  return {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: config["tokenize_chinese_chars"] !== false,
    // null or none: accents go where letters are lowered.
    strip_accents: config["strip_accents"],
    lowercase: config["do_lower_case"] === true,
  };
}

// An explicit do_lower_case decides, as in transformers 5, which builds its normalizer from tokenizer_config.json and
// ignores the one in tokenizer.json. Where it is absent that library lowers case; Bark is cased, so the file's stays.
export function withCasing(definition: JsonObject, config: JsonObject): JsonObject {
  if (typeof config["do_lower_case"] !== "boolean") return definition;
  return { ...definition, normalizer: bertNormalizer(config) };
}

/** Ids by token of a `vocab.txt`. @throws EngineError `bad-input` for an empty one. */
export function parseVocabulary(text: string, where: string): Record<string, number> {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const vocab = Object.fromEntries(lines.map((line, id) => [line.replace(/\r$/, ""), id]));
  if (lines.length > 0) return vocab;
  throw new EngineError("bad-input", "the vocabulary is empty", { where: `${where}/vocab.txt` });
}

/** What `tokenizer.json` would say for a vocabulary, of what decides ids. */
export function definitionOf(vocab: Record<string, number>, config: JsonObject, where: string): JsonObject {
  const unk = specialToken(config, "unk_token");
  if (vocab[unk] === undefined)
    throw new EngineError("bad-input", `the vocabulary lacks ${unk}`, { where: `${where}/vocab.txt` });
  const added = [...new Set(specialTokenNames.map((name) => specialToken(config, name)))].filter(
    (t) => vocab[t] !== undefined,
  );
  return {
    added_tokens: added.map((content) => ({ id: vocab[content], content, special: true })),
    normalizer: bertNormalizer(config),
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: null,
    model: {
      type: "WordPiece",
      unk_token: unk,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}
