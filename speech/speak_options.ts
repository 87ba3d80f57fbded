import { runReaders, type BarkGenerateKwargs } from "../bark/generate/options/generate_arguments.ts";
import { keywordReaders, unsupportedKeywords, type GenerateKwargs } from "../bark/generate/options/generate_options.ts";
import { latencyReaders, type LatencyOptions } from "../bark/generate/options/stream_arguments.ts";
import { readPreset } from "../bark/text/processor_options.ts";
import type { VoicePreset } from "../bark/voice/voices.ts";
import {
  argumentsOf,
  isPlainObject,
  noneOr,
  readBoolean,
  readFunction,
  readInteger,
  readNumber,
  readOneOf,
  readRecord,
  readString,
  wrongArgument,
  type ReadersOf,
} from "../engine/check/arguments.ts";
import { defined } from "../engine/check/defined.ts";
import type { Cast, Turn } from "./markup/dialogue.ts";
import type { Lexicon } from "./normalize/lexicon.ts";
import type { Gaps, SpeechInput } from "./plan.ts";
import type { SpeechArguments, SpeechProgress } from "./speak_text.ts";
import type { StreamArguments } from "./stream/stream_text.ts";

/** How a text is spoken: a voice, how pieces are made and joined, and the keywords of `BarkModel.generate`. */
export interface SpeakOptions
  extends
    Omit<GenerateKwargs, "attention_mask" | "semantic_attention_mask">,
    Pick<BarkGenerateKwargs, "seed" | "signal" | "tokens_per_readback"> {
  /** A preset's name, the path of an `.npz`, its bytes, or the three arrays. Default: Bark makes a voice up. */
  voice?: VoicePreset | null;
  /** `auto`: as many pieces as the text needs; `none`: one run of the model, and what does not fit is cut, with a notice. */
  split?: "auto" | "none";
  /** Of Bark, such as `de`, for abbreviations. Default: that of the voice's name, else `en`. */
  language?: string;
  /** `basic`: numbers, units, addresses and abbreviations in words, as the language says them. Default `none`: as written. */
  normalize?: "none" | "basic";
  /** How words are spoken: `{ Loughborough: "Luffbruh" }`, or the text of a file of lines `word<TAB>spoken` or of JSON. */
  lexicon?: Lexicon | string;
  /** Speakers of the lines `NAME: text`, and their voices. */
  cast?: Cast;
  /** Silence between pieces, in ms, by what ends the first of two. */
  gaps?: Partial<Gaps>;
  /** Most pieces that are spoken at once; each is what it is alone. More need more memory. Default 1. */
  batch?: number;
  /** Takes after the first of a piece that came out badly. Default 2; 0 for a text of one piece. */
  retries?: number;
  /** A piece without a good take is an error. Default: its flags are in `captions`, with a notice. */
  strict?: boolean;
  /** Takes of every piece: the one with the fewest flags is kept, then with the best score of `verify`, then whose length is nearest to the pace of the voice. Default 1. */
  takes?: number;
  /** Estimates when each word is heard: `words` of each caption. It costs one pass of the semantic model a piece. Default false. */
  words?: boolean;
  /** LUFS that each piece is brought to, such as -19, with its true peak under -1 dB. Default: as the model makes it. */
  loudness?: number;
  /** Pieces before it that a piece hears behind its voice, within a paragraph: the tone goes on. Default 0. */
  carry?: number;
  /** Your recogniser's score of a take, 0 to 1; below 0.5 it is spoken again. */
  verify?: (audio: Float32Array, text: string) => number | Promise<number>;
  /** After every readback: the stage, and of how many pieces this is which. */
  on_progress?: ((progress: SpeechProgress) => void) | null;
}

/** How a text is streamed. */
export interface StreamOptions extends SpeakOptions, LatencyOptions {
  /** Give the tokens of the first piece with its last part, as a voice for other texts (`voice_npz`). Default false. */
  save_voice?: boolean;
}

// The mask belongs to the ids, which are made here.
const keywords = Object.fromEntries(Object.entries(keywordReaders).filter(([name]) => !/attention_mask$/.test(name)));
const readLength = readNumber("milliseconds ≥ 0", (value) => value >= 0);
const readGaps = argumentsOf("gaps", {
  comma: readLength,
  sentence: readLength,
  paragraph: readLength,
  speaker: readLength,
  chapter: readLength,
} satisfies ReadersOf<Gaps>);
const speechReaders = {
  voice: noneOr(readPreset),
  split: readOneOf("auto", "none"),
  language: readString,
  normalize: readOneOf("none", "basic"),
  lexicon: (value: unknown, name: string) => (typeof value === "string" ? value : readRecord(readString)(value, name)),
  cast: readRecord(readString),
  gaps: readGaps,
  batch: readInteger(1, 64),
  retries: readInteger(0, 100),
  takes: readInteger(1, 100),
  carry: readInteger(0, 100),
  words: readBoolean,
  loudness: readNumber("LUFS from -70 to 0", (level) => level >= -70 && level <= 0),
  strict: readBoolean,
  verify: readFunction<NonNullable<SpeakOptions["verify"]>>(),
  on_progress: readFunction<(progress: SpeechProgress) => void>(),
} satisfies ReadersOf<Omit<SpeakOptions, keyof GenerateKwargs | "seed" | "signal" | "tokens_per_readback">>;
const readTurn = argumentsOf("a turn", { text: readString, voice: readString } satisfies ReadersOf<Turn>, {
  required: ["text"],
});

/** A text, SSML or turns. @throws EngineError `usage`. */
export function readInput(value: unknown, name: string): SpeechInput {
  if (typeof value === "string") return readString(value, name);
  if (Array.isArray(value) && value.length > 0 && value.every(isPlainObject)) return value.map(readTurn);
  throw wrongArgument(name, "a string, or turns [{ voice, text }, …]", value);
}

const readersOfSpeech = { ...keywords, ...runReaders, ...speechReaders };
const rules = { aliases: { voice_preset: "voice" }, unsupported: unsupportedKeywords };
const readKeywords = argumentsOf("generate", readersOfSpeech, { ...rules, usage: "give generate(text, { voice, … })" });
const readStreamKeywords = argumentsOf(
  "stream",
  { ...readersOfSpeech, ...latencyReaders, save_voice: readBoolean },
  { ...rules, usage: "give stream(text, { voice, … })" },
);

type Ours = { [K in keyof typeof speechReaders]?: ReturnType<(typeof speechReaders)[K]> };

/** The options of a stream. @throws EngineError `usage`. */
export function readStreamOptions(given: StreamOptions): Omit<StreamArguments, "notice"> & { save_voice?: boolean } {
  const { latency, lookahead, save_voice, ...rest } = readStreamKeywords(given);
  return { ...split(rest), ...defined({ latency, lookahead, save_voice }) };
}

/** A text, SSML or turns, or texts as they come. @throws EngineError `usage`. */
export function readStreamInput(value: unknown, name: string): SpeechInput | AsyncIterable<string> {
  const isLive = typeof value === "object" && value !== null && Symbol.asyncIterator in value;
  return isLive ? (value as AsyncIterable<string>) : readInput(value, name);
}

/** The options of a call: ours by name, the rest for the model. @throws EngineError `usage`. */
export function readSpeakOptions(given: SpeakOptions): Omit<SpeechArguments, "notice"> {
  return split(readKeywords(given));
}

/** Ours, and keywords of the model. */
function split({ seed, on_progress, ...rest }: ReturnType<typeof readKeywords>): Omit<SpeechArguments, "notice"> {
  const entries = Object.entries(rest);
  const ours = Object.fromEntries(entries.filter(([name]) => name in speechReaders)) as Omit<Ours, "on_progress">;
  const others = entries.filter(([name]) => !(name in speechReaders));
  const kwargs = Object.fromEntries(others) as SpeechArguments["kwargs"];
  return { ...defined({ ...ours, seed, onProgress: on_progress }), kwargs };
}
