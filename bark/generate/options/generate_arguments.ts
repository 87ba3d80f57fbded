import {
  argumentsOf,
  isPlainObject,
  noneOr,
  readBoolean,
  readFunction,
  readInteger,
  readSignal,
  wrongArgument,
  type ReadersOf,
} from "../../../engine/check/arguments.ts";
import { checkIds, readArray, type ArrayInput } from "../../../engine/check/array_argument.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { NdArray } from "../../../engine/ndarray.ts";
import { keywordReaders, unsupportedKeywords, type GenerateKwargs } from "./generate_options.ts";
import { placed } from "./placed.ts";
import type { BarkProgress } from "../output.ts";
import { validateVoice } from "../../voice/voices.ts";
import type { BatchVoice, HistoryPrompt } from "../../voice/history_prompt.ts";

/** Keywords of {@link BarkModel.generate}: those of transformers, and ours for seed, stop and progress. */
export interface BarkGenerateKwargs extends GenerateKwargs {
  /** Ids of the tokenizer. [batch, length] */
  input_ids: ArrayInput;
  /** A voice for all rows, or a list with one (null: none) for each; a row then is what it would be in a run of its own. */
  history_prompt?: BatchVoice;
  /** Decode each row alone to its own length and give the lengths too. */
  return_output_lengths?: boolean | null;
  /** Of all random draws, from 0 to 2^64 - 1. Default: drawn. */
  seed?: number | bigint | null;
  /** Stops the run at the next readback. */
  signal?: AbortSignal | null;
  on_progress?: ((progress: BarkProgress) => void) | null;
  /**
   * Tokens that the semantic and coarse stages decode between two readbacks, where they report progress and can stop.
   * More of them wait less for readbacks and waste more after the end of speech; the tokens are the same.
   * Default: measured for the adapter and runtime.
   */
  tokens_per_readback?: number | null;
}

/** What may follow the ids by place: a voice, `return_output_lengths`, and last an object of keywords. */
export type BarkGenerateMore = BatchVoice | boolean | Omit<BarkGenerateKwargs, "input_ids"> | undefined;

/** Arguments about the run rather than its inputs. */
export const runReaders = {
  seed: noneOr(readSeed),
  signal: readSignal,
  on_progress: readFunction<(progress: BarkProgress) => void>(),
  tokens_per_readback: noneOr(readInteger(1)),
} satisfies ReadersOf<Pick<BarkGenerateKwargs, "seed" | "signal" | "on_progress" | "tokens_per_readback">>;

const ownReaders = {
  ...runReaders,
  input_ids: readArray([2], checkTextIds),
  history_prompt: noneOr(readVoices),
  return_output_lengths: noneOr(readBoolean),
} satisfies ReadersOf<Omit<BarkGenerateKwargs, keyof GenerateKwargs>>;

const usage = "give what the processor answers: model.generate({ ...(await processor(text)), … })";

/** {@link BarkGenerateKwargs}, read. */
export type GenerateArguments = { input_ids: NdArray } & {
  [K in keyof typeof ownReaders]?: Exclude<ReturnType<(typeof ownReaders)[K]>, undefined>;
};

const readNamed: (given: unknown) => GenerateArguments = argumentsOf(
  "generate",
  { ...keywordReaders, ...ownReaders },
  { required: ["input_ids"], unsupported: unsupportedKeywords, usage },
);

// The places of transformers' signature.
const places = ["input_ids", "history_prompt", "return_output_lengths"];

/**
 * Arguments of `BarkModel.generate` by place or by name, keywords of the stages among them.
 * @throws EngineError `usage`, `bad-input` for a voice.
 */
export function readGenerateArguments(...given: readonly unknown[]): GenerateArguments {
  return readNamed(placed("generate", places, given));
}

function checkTextIds(ids: NdArray, name: string): NdArray {
  if (ids.shape[0] > 0) return checkIds(ids, name);
  throw new EngineError("usage", "holds no text", {
    where: name,
    expected: "[batch, length]",
    actual: "[0, …]",
    fix: usage,
  });
}

function readVoices(value: unknown, name: string): NonNullable<BatchVoice> {
  if (!Array.isArray(value)) return readVoice(value, name);
  return value.map((voice, row) => (voice === null ? null : readVoice(voice, `${name}[${row}]`)));
}

/** A voice for all rows. */
export function readVoice(value: unknown, name: string): HistoryPrompt {
  if (isPlainObject(value)) return validateVoice(value, name);
  const fix =
    "await processor.loadVoice(name), or give the name to the processor: processor(text, { voice_preset: name })";
  throw wrongArgument(name, "a voice, as processor.loadVoice answers it", value, fix);
}

const [maxSeed, expectedSeed] = [2n ** 64n - 1n, "an integer from 0 to 2^53 - 1, or a bigint to 2^64 - 1"];

function readSeed(value: unknown, name: string): bigint {
  const seed = Number.isSafeInteger(value) ? BigInt(value as number) : value;
  if (typeof seed === "bigint" && seed >= 0n && seed <= maxSeed) return seed;
  throw wrongArgument(name, expectedSeed, value);
}

export function randomSeed(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0];
}
