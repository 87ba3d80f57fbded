import * as tokenizers from "@huggingface/tokenizers";
import { reader } from "../../engine/check/arguments.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { isObject, type JsonObject } from "../../engine/check/json_fields.ts";
import { readJsonFile, readTextFile } from "../../checkpoint/json_file.ts";
import { BarkConfig } from "../config/config.ts";
import { BarkGenerationConfig } from "../config/generation_config.ts";
import type { BarkCheckpoint } from "../load/bark_checkpoint.ts";
import { checkTokenizer, checkTokenizerConfig } from "./tokenizer_checks.ts";

// The package spaces out ideographs by UTF-16 unit and so misses those beyond the BMP. Ranges as in the Rust library.
const supplementaryIdeographs = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

const specialTokens = {
  unk_token: "[UNK]",
  sep_token: "[SEP]",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  mask_token: "[MASK]",
} as const;

// What is used of the package. Its own types import each other without file extensions, which TypeScript cannot follow.
interface PackageTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  token_to_id(token: string): number | undefined;
}
const { Tokenizer } = tokenizers as unknown as {
  Tokenizer: new (definition: JsonObject, config: JsonObject) => PackageTokenizer;
};

const readText = reader<string>("a string", (value) => typeof value === "string");

type SpecialToken = keyof typeof specialTokens;

/** Files of a tokenizer, parsed; what a checkpoint does not have is undefined. */
export interface TokenizerFiles {
  /** `tokenizer.json`. */
  tokenizer?: JsonObject;
  /** `tokenizer_config.json`. */
  config?: JsonObject;
  /** `vocab.txt`, used where there is no `tokenizer.json`. */
  vocab?: string;
}

/** Where a text is cut. */
export interface Truncation {
  /** Tokens of the whole text. */
  tokens: number;
  limit: number;
  /** What is kept of the text. */
  kept: string;
  /** What is lost. */
  lost: string;
}

type BarkConfigs = Pick<BarkCheckpoint, "config" | "generation_config">;

/**
 * Text to ids: WordPiece over BERT's word splitting, as the Rust tokenizer does it (no Unicode normalisation). Special
 * tokens in the text, such as `[MASK]`, become their ids.
 */
export class BarkTokenizer {
  readonly pad_token_id: number;
  readonly cls_token_id: number | undefined;
  readonly sep_token_id: number | undefined;
  /** Of all tokens: a model needs a row for each. */
  readonly largest_id: number;
  readonly unk_token_id: number | undefined;
  readonly #tokenizer: PackageTokenizer;
  readonly #lowercase: boolean;
  readonly #spacesIdeographs: boolean;
  readonly #where: string;

  /** @throws EngineError `bad-input` naming `where` if the files do not make a tokenizer. */
  constructor(files: TokenizerFiles, where = "tokenizer") {
    const config = files.config ?? {};
    this.#where = files.tokenizer === undefined ? `${where}/vocab.txt` : `${where}/tokenizer.json`;
    checkTokenizerConfig(config, `${where}/tokenizer_config.json`);
    const file = files.tokenizer ?? definitionOf(parseVocabulary(files.vocab ?? "", where), config, where);
    const { type, largestId } = checkTokenizer(file, this.#where);
    this.largest_id = largestId;
    const definition = type === "WordPiece" ? withCasing(file, config) : file;
    this.#tokenizer = this.#used(() => new Tokenizer({ added_tokens: [], ...definition }, config));
    const normalizer = definition["normalizer"];
    this.#lowercase = isObject(normalizer) && normalizer["lowercase"] === true;
    this.#spacesIdeographs = isObject(normalizer) && normalizer["handle_chinese_chars"] !== false;
    const id = (name: SpecialToken): number | undefined => this.#tokenizer.token_to_id(specialToken(config, name));
    this.pad_token_id = id("pad_token") ?? 0;
    this.cls_token_id = id("cls_token");
    this.sep_token_id = id("sep_token");
    this.unk_token_id = id("unk_token");
  }

  /**
   * Reads `tokenizer.json` (or `vocab.txt`) and `tokenizer_config.json`, and holds its ids against the model beside it.
   * @param beside the configs of that model, where they are read.
   * @throws EngineError `bad-input`.
   */
  static async from_pretrained(store: FileStore, beside?: BarkConfigs): Promise<BarkTokenizer> {
    const tokenizer = await readJsonFile(store, "tokenizer.json");
    const config = await readJsonFile(store, "tokenizer_config.json");
    const vocab = tokenizer === undefined ? await readTextFile(store, "vocab.txt") : undefined;
    if (tokenizer === undefined && vocab === undefined)
      throw new EngineError("bad-input", "the checkpoint has neither tokenizer.json nor vocab.txt", {
        where: store.name,
        fix: "take them from the model's page, or from bert-base-multilingual-cased for suno's own checkpoints",
      });
    for (const [name, value] of Object.entries({ "tokenizer.json": tokenizer, "tokenizer_config.json": config }))
      if (value !== undefined && !isObject(value))
        throw new EngineError("bad-input", "is not a JSON object", { where: `${store.name}/${name}` });
    const read = new BarkTokenizer(
      {
        ...(tokenizer === undefined ? {} : { tokenizer: tokenizer as JsonObject }),
        ...(config === undefined ? {} : { config: config as JsonObject }),
        ...(vocab === undefined ? {} : { vocab }),
      },
      store.name,
    );
    const configs = beside ?? (await readConfigs(store));
    if (configs !== undefined) read.#checkModel(configs);
    return read;
  }

  /** Every id must have a row, or a text would fail when it is spoken. */
  #checkModel({ config, generation_config }: BarkConfigs): void {
    const { input_vocab_size: rows } = config.semantic_config;
    const { text_encoding_offset } = generation_config.semantic_config;
    // generate() reports an offset beyond all rows.
    if (text_encoding_offset >= rows || this.largest_id + text_encoding_offset < rows) return;
    throw new EngineError("bad-input", "has more ids than config.json has rows for text", {
      where: this.#where,
      expected: `ids below ${rows - text_encoding_offset} (input_vocab_size less text_encoding_offset)`,
      actual: this.largest_id,
      fix: "check that the tokenizer belongs to this checkpoint",
    });
  }

  /** Ids of a text, without any special tokens around them. @throws EngineError `bad-input` for a token without one. */
  encode(text: string): number[] {
    readText(text, "text");
    const spaced = this.#spacesIdeographs ? text.replaceAll(supplementaryIdeographs, " $& ") : text;
    // JavaScript lowers a sigma at the end of a word to ς, Rust (character by character) to σ.
    const lowered = this.#lowercase ? spaced.replaceAll("Σ", "σ") : spaced;
    const { ids } = this.#used(() => this.#tokenizer.encode(lowered, { add_special_tokens: false }));
    // An unk_token outside the vocabulary has no id; later code would take it for id 0.
    if (ids.every((id) => Number.isSafeInteger(id))) return ids;
    throw new EngineError("bad-input", "has no id for a token of the text", { where: this.#where });
  }

  /** The package's ids. @throws EngineError `bad-input` where it throws. */
  #used<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new EngineError("bad-input", `cannot be used: ${(cause as Error).message}`, { where: this.#where, cause });
    }
  }

  token_to_id(token: string): number | undefined {
    return this.#tokenizer.token_to_id(token);
  }

  /** Where a text of more than `limit` tokens is cut, or undefined if it is not. */
  truncation(text: string, limit: number): Truncation | undefined {
    const ids = this.encode(text);
    if (ids.length <= limit) return undefined;
    const ends = [0, ...Array.from(text.matchAll(/\S+/g), (word) => word.index + word[0].length)];
    let kept = 0;
    for (let low = 0, high = ends.length - 1; low <= high;) {
      const middle = (low + high) >> 1;
      if (this.encode(text.slice(0, ends[middle])).length > limit) high = middle - 1;
      else low = middle + 1;
      kept = high;
    }
    const end = this.#endInsideWord(text, ends[Math.max(0, kept)], ids.slice(0, limit));
    return { tokens: ids.length, limit, kept: text.slice(0, end).trimEnd(), lost: text.slice(end).trimStart() };
  }

  /** Most of the text from `start` on, code point by code point, whose ids begin as the kept ids do. */
  #endInsideWord(text: string, start: number, ids: readonly number[]): number {
    let best = start;
    let end = start;
    // A word has at most 100 pieces, but text without spaces (Chinese) is one "word" here.
    for (const point of text.slice(start, start + 2000)) {
      end += point.length;
      const prefix = this.encode(text.slice(0, end));
      if (prefix.length > ids.length + 100) break;
      if (prefix.every((id, i) => id === ids[i])) best = end;
    }
    return best;
  }
}

function specialToken(config: JsonObject, name: SpecialToken): string {
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
function withCasing(definition: JsonObject, config: JsonObject): JsonObject {
  if (typeof config["do_lower_case"] !== "boolean") return definition;
  return { ...definition, normalizer: bertNormalizer(config) };
}

function parseVocabulary(text: string, where: string): Record<string, number> {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const vocab = Object.fromEntries(lines.map((line, id) => [line.replace(/\r$/, ""), id]));
  if (lines.length > 0) return vocab;
  throw new EngineError("bad-input", "the vocabulary is empty", { where: `${where}/vocab.txt` });
}

/** What `tokenizer.json` would say for a vocabulary, of what decides ids. */
function definitionOf(vocab: Record<string, number>, config: JsonObject, where: string): JsonObject {
  const unk = specialToken(config, "unk_token");
  if (vocab[unk] === undefined)
    throw new EngineError("bad-input", `the vocabulary lacks ${unk}`, { where: `${where}/vocab.txt` });
  const names = Object.keys(specialTokens) as SpecialToken[];
  const added = [...new Set(names.map((name) => specialToken(config, name)))].filter((t) => vocab[t] !== undefined);
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

/** Of the Bark beside a tokenizer; a tokenizer may come alone. */
async function readConfigs(store: FileStore): Promise<BarkConfigs | undefined> {
  const config = await readJsonFile(store, "config.json");
  if (!isObject(config) || config["model_type"] !== "bark") return undefined;
  return {
    config: BarkConfig.from_dict(config, `${store.name}/config.json`),
    generation_config: await BarkGenerationConfig.from_pretrained(store),
  };
}
