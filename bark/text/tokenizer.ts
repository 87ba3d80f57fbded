import * as tokenizers from "@huggingface/tokenizers";
import { argumentsOf, noneOr, readBoolean, reader, type ReadersOf } from "../../engine/check/arguments.ts";
import { checkIds, readArray } from "../../engine/check/array_argument.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { isObject, type JsonObject } from "../../engine/check/json_fields.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { readJsonFile, readTextFile } from "../../checkpoint/json_file.ts";
import { BarkConfig } from "../config/config.ts";
import { BarkGenerationConfig } from "../config/generation_config.ts";
import type { BarkCheckpoint } from "../load/bark_checkpoint.ts";
import { readCheckpointOptions } from "../load/load_arguments.ts";
import type { CheckpointOptions } from "../load/load_options.ts";
import { openCheckpoint, type CheckpointSource } from "../load/open_checkpoint.ts";
import type { SaveFolder } from "../load/save_folder.ts";
import { cleanUp, joinPieces } from "./decode.ts";
import { offsetsOf, type Offset, type OffsetRules } from "./offsets.ts";
import { checkTokenizer, checkTokenizerConfig } from "./tokenizer_checks.ts";
import {
  definitionOf,
  parseVocabulary,
  specialToken,
  specialTokenNames,
  withCasing,
  type SpecialToken,
} from "./tokenizer_definition.ts";

// The package spaces out ideographs by UTF-16 unit and so misses those beyond the BMP. Ranges as in the Rust library.
const supplementaryIdeographs = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

// What is used of the package. Its own types import each other without file extensions, which TypeScript cannot follow.
interface PackageTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  decode(ids: readonly number[], options: DecodeOptions): string;
}
const { Tokenizer } = tokenizers as unknown as {
  Tokenizer: new (definition: JsonObject, config: JsonObject) => PackageTokenizer;
};

const readText = reader<string>("a string", (value) => typeof value === "string");

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

/** How ids become text. */
export interface DecodeOptions {
  /** Leave out `[CLS]`, `[PAD]` and their like. Default false. */
  skip_special_tokens?: boolean | null;
  /** Also take the space before punctuation and contractions away. Default false, as in transformers 5. */
  clean_up_tokenization_spaces?: boolean | null;
}

export type DecodeInput = number | bigint | readonly (number | bigint)[] | Int32Array | NdArray;
export type DecodeBatch = readonly (readonly (number | bigint)[])[];

const readIds = readArray([1], (array) => array);
const readDecodeOptions = argumentsOf("decode", {
  skip_special_tokens: noneOr(readBoolean),
  clean_up_tokenization_spaces: noneOr(readBoolean),
} satisfies ReadersOf<DecodeOptions>);

const tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"];

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
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
  readonly #files: TokenizerFiles;
  /** Where its files are, for {@link saveTo}. */
  #store: FileStore | undefined;
  /** Undefined for a model other than WordPiece. */
  readonly #offsets: OffsetRules | undefined;
  /** Ids of special tokens, which a decoder may skip. */
  readonly #special: ReadonlySet<number>;

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
    this.#files = files;
    const added = (definition["added_tokens"] ?? []) as AddedToken[];
    const named = specialTokenNames.map(id).filter((found) => found !== undefined);
    this.#special = new Set([...added.filter(({ special }) => special === true).map((token) => token.id), ...named]);
    this.#offsets = this.#offsetRules(definition, added, type === "WordPiece");
  }

  #offsetRules(definition: JsonObject, added: readonly AddedToken[], isPieces: boolean): OffsetRules | undefined {
    const normalizer = definition["normalizer"];
    const words = definition["pre_tokenizer"];
    const isBert = isObject(normalizer) && normalizer["type"] === "BertNormalizer" && isObject(words);
    if (!isPieces || !isBert || words["type"] !== "BertPreTokenizer") return undefined;
    const { clean_text, handle_chinese_chars, strip_accents, lowercase } = normalizer;
    return {
      normalizer: {
        cleanText: clean_text !== false,
        ideographs: handle_chinese_chars !== false,
        stripAccents: strip_accents === true || (strip_accents !== false && lowercase === true),
        lowercase: lowercase === true,
      },
      added: added.map(({ content }) => content),
      unk_token_id: this.unk_token_id,
      prefix: (definition["model"] as { continuing_subword_prefix: string }).continuing_subword_prefix,
      tokenOf: (each) => this.#tokenizer.id_to_token(each) ?? "",
    };
  }

  /** The tokenizer of a checkpoint, as of `from_pretrained` of all classes. @throws EngineError `bad-input`, `usage`. */
  static async from_pretrained(source: CheckpointSource, options: CheckpointOptions = {}): Promise<BarkTokenizer> {
    return await BarkTokenizer.read(await openCheckpoint(source, readCheckpointOptions(options)));
  }

  /**
   * Reads `tokenizer.json` (or `vocab.txt`) and `tokenizer_config.json`, and holds its ids against the model beside it.
   * @param beside the configs of that model, where they are read.
   * @throws EngineError `bad-input`.
   */
  static async read(store: FileStore, beside?: BarkConfigs): Promise<BarkTokenizer> {
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
    read.#store = store;
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

  /** Whether {@link offsets} knows where ids come from. */
  get hasOffsets(): boolean {
    return this.#offsets !== undefined;
  }

  /**
   * Where the ids of {@link encode} come from. @throws EngineError `usage` for a tokenizer other than BERT's.
   */
  offsets(text: string, ids: readonly number[]): Offset[] {
    if (this.#offsets !== undefined) return offsetsOf(text, ids, this.#offsets);
    throw new EngineError("usage", "are known of BERT's tokenizers alone, and this is another one", {
      where: "return_offsets_mapping",
      actual: this.#where,
      fix: "leave it out",
    });
  }

  /**
   * Text of ids: of one id, a list, or a batch, which becomes a list of texts. Ids without a token are left out.
   * @throws EngineError `usage` for anything but ids.
   */
  decode(token_ids: DecodeBatch, options?: DecodeOptions): string[];
  decode(token_ids: DecodeInput, options?: DecodeOptions): string;
  decode(token_ids: DecodeInput | DecodeBatch, given: DecodeOptions = {}): string | string[] {
    const options = readDecodeOptions(given);
    const value = (token_ids as NdArray | undefined) instanceof NdArray ? (token_ids as NdArray).tolist() : token_ids;
    const isBatch = Array.isArray(value) && value.length > 0 && value.every((row) => typeof row === "object");
    if (!isBatch) return this.#decodeRow(value, options);
    return value.map((row) => this.#decodeRow(row, options));
  }

  /** {@link decode}, as a list of texts in any case. */
  batch_decode(sequences: DecodeInput | DecodeBatch, options: DecodeOptions = {}): string[] {
    return [this.decode(sequences as DecodeBatch, options)].flat();
  }

  #decodeRow(value: unknown, { skip_special_tokens, clean_up_tokenization_spaces }: DecodeOptions): string {
    const given = typeof value === "number" || typeof value === "bigint" ? [value] : value;
    const ids = Array.from(checkIds(readIds(given, "token_ids"), "token_ids").data);
    const known = ids.filter((id) => this.#tokenizer.id_to_token(id) !== undefined);
    const shown = skip_special_tokens === true ? known.filter((id) => !this.#special.has(id)) : known;
    const text =
      this.#offsets === undefined
        ? this.#used(() => this.#tokenizer.decode(shown, { clean_up_tokenization_spaces: false }))
        : joinPieces(
            shown.map((id) => this.#offsets!.tokenOf(id)),
            this.#offsets.prefix,
          );
    return clean_up_tokenization_spaces === true ? cleanUp(text) : text;
  }

  /** Writes its files into a folder, as they are. @throws EngineError `io`. */
  async saveTo(folder: SaveFolder): Promise<void> {
    if (this.#store !== undefined) return await folder.copy(this.#store, tokenizerFiles);
    const { tokenizer, config, vocab } = this.#files;
    if (tokenizer !== undefined) await folder.writeJson("tokenizer.json", tokenizer);
    if (config !== undefined) await folder.writeJson("tokenizer_config.json", config);
    if (vocab !== undefined) await folder.write("vocab.txt", new TextEncoder().encode(vocab));
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

/** Of the Bark beside a tokenizer; a tokenizer may come alone. */
async function readConfigs(store: FileStore): Promise<BarkConfigs | undefined> {
  const config = await readJsonFile(store, "config.json");
  if (!isObject(config) || config["model_type"] !== "bark") return undefined;
  return {
    config: BarkConfig.from_dict(config, `${store.name}/config.json`),
    generation_config: await BarkGenerationConfig.from_pretrained(store),
  };
}
