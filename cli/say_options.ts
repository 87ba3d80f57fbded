import { audioEndings, audioFormatNames, audioFormatOf, type AudioFormat } from "../audio/encode/formats.ts";
import { EngineError } from "../engine/errors.ts";
import type { GenerateKwargs } from "../bark/generate/options/generate_options.ts";
import type { LatencyOptions } from "../bark/generate/options/stream_arguments.ts";
import type { BarkFromPretrainedOptions } from "../bark/load/load_options.ts";
import { defined } from "../engine/check/defined.ts";
import { choiceFlag, numberFlag, pairsFlag, parseCommandLine } from "./command_line.ts";
import { defaultModel } from "./files/model_location.ts";
import { defaultGaps } from "../audio/join.ts";
import type { Gaps } from "../speech/plan.ts";
import type { SpeechArguments } from "../speech/speak_text.ts";
import { readLexiconFile } from "./files/text_input.ts";
import { requireOutput, type OutputFile } from "./files/output_file.ts";

export const flags = {
  file: { type: "string" },
  model: { type: "string", short: "m" },
  voice: { type: "string", short: "v" },
  output: { type: "string", short: "o" },
  format: { type: "string" },
  "audio-format": { type: "string" },
  bitrate: { type: "string" },
  play: { type: "boolean" },
  latency: { type: "string" },
  lookahead: { type: "string" },
  split: { type: "string" },
  language: { type: "string" },
  cast: { type: "string" },
  gaps: { type: "string" },
  batch: { type: "string" },
  normalize: { type: "string" },
  lexicon: { type: "string" },
  retries: { type: "string" },
  strict: { type: "boolean" },
  takes: { type: "string" },
  carry: { type: "string" },
  loudness: { type: "string" },
  words: { type: "boolean" },
  srt: { type: "string" },
  vtt: { type: "string" },
  captions: { type: "string" },
  "save-voice": { type: "string" },
  greedy: { type: "boolean" },
  temperature: { type: "string" },
  "semantic-temperature": { type: "string" },
  "coarse-temperature": { type: "string" },
  "fine-temperature": { type: "string" },
  "top-k": { type: "string" },
  "top-p": { type: "string" },
  "min-eos-p": { type: "string" },
  "max-semantic-tokens": { type: "string" },
  seed: { type: "string" },
  dtype: { type: "string" },
  device: { type: "string" },
  "low-memory": { type: "boolean" },
  json: { type: "boolean" },
  quiet: { type: "boolean" },
} as const;

type Values = ReturnType<typeof parseCommandLine<typeof flags>>["values"];

/** A file of captions, and its format. */
export interface CaptionFile {
  readonly kind: "srt" | "vtt" | "json";
  readonly file: OutputFile;
}

/** What `bark say` was asked for, checked as far as that goes without a checkpoint. */
export interface SayOptions {
  /** Arguments that make up the text. */
  readonly words: readonly string[];
  readonly file: string | undefined;
  readonly model: string;
  readonly voice: string | undefined;
  readonly output: OutputFile;
  readonly audioFormat: AudioFormat;
  /** Of the samples of a WAV. */
  readonly format: "pcm16" | "float32";
  /** kbit/s. */
  readonly bitrate: number | undefined;
  readonly play: boolean;
  readonly saveVoice: OutputFile | undefined;
  /** Files of captions that were asked for. */
  readonly captions: readonly CaptionFile[];
  /** How the text becomes pieces. */
  readonly speech: Pick<
    SpeechArguments,
    | "split"
    | "language"
    | "cast"
    | "gaps"
    | "normalize"
    | "lexicon"
    | "batch"
    | "retries"
    | "strict"
    | "takes"
    | "carry"
    | "loudness"
    | "words"
  >;
  /** When sound is given out; null: piece by piece, as cut for a file. */
  readonly latency: LatencyOptions | null;
  /** Takes the results: standard output, unless a file goes there. */
  readonly report: NodeJS.WritableStream;
  readonly kwargs: GenerateKwargs;
  readonly seed: number;
  readonly load: Pick<BarkFromPretrainedOptions, "dtype" | "device" | "low_memory">;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** @throws EngineError `usage` for a wrong flag or value, or a folder that is not there. */
export async function parseSay(args: readonly string[]): Promise<SayOptions> {
  const { values, positionals } = parseCommandLine("say", args, flags);
  // A name without an ending does not claim to be another kind of file.
  const output = await requireOutput("--output", values.output ?? "bark.wav", [...audioEndings, ""]);
  const voiceName = values["save-voice"];
  const saveVoice = voiceName === undefined ? undefined : await requireOutput("--save-voice", voiceName, [".npz", ""]);
  const captions = await captionFiles(values);
  requireDifferent([
    ["--output", output],
    ...(saveVoice === undefined ? [] : [["--save-voice", saveVoice] as const]),
    ...captions.map(({ kind, file }) => [kind === "json" ? "--captions" : `--${kind}`, file] as const),
  ]);
  const outputs = [...captions.map(({ file }) => file), ...(saveVoice === undefined ? [] : [saveVoice]), output];
  return {
    words: positionals,
    file: values.file,
    model: values.model ?? defaultModel,
    voice: values.voice,
    output,
    audioFormat: audioFormatFor(output, values),
    format: choiceFlag("format", values.format, ["pcm16", "float32"]) ?? "pcm16",
    bitrate: bitrateOption(values),
    play: values.play === true,
    saveVoice,
    captions,
    speech: { ...(await speechOptions(values)), words: wordsOption(values, captions) },
    latency: latencyOptions(values),
    report: (outputs.find(({ isStandardOutput }) => isStandardOutput) ?? output).report,
    kwargs: generateKwargs(values),
    seed: seedOption(values) ?? randomSeed(),
    load: loadOptions(values),
    json: values.json === true,
    quiet: values.quiet === true,
  };
}

export function loadOptions(values: Values): SayOptions["load"] {
  const dtype = choiceFlag("dtype", values.dtype, ["f32", "f16", "q8"]);
  return {
    ...(dtype === undefined ? {} : { dtype }),
    ...(values.device === undefined ? {} : { device: values.device }),
    low_memory: values["low-memory"] === true,
  };
}

export function seedOption(values: Values): number | undefined {
  return numberFlag("seed", values.seed, isSeed, "an integer from 0 to 2^53 - 1");
}

/** kbit/s. */
export function bitrateOption(values: Values): number | undefined {
  return numberFlag("bitrate", values.bitrate, (rate) => rate > 0, "kbit/s, above 0");
}

/** By the flag, or the ending of the file; a pipe or a name without an ending gets a WAV. */
function audioFormatFor({ name }: OutputFile, values: Values): AudioFormat {
  const asked = choiceFlag("audio-format", values["audio-format"], audioFormatNames);
  const named = audioEndings.some((ending) => name.toLowerCase().endsWith(ending)) ? audioFormatOf(name) : undefined;
  if (asked !== undefined && named !== undefined && asked !== named)
    throw new EngineError("usage", `is ${asked}, and the ending of the file says ${named}`, {
      where: "--audio-format",
      fix: "leave out one of them",
    });
  const format = asked ?? named ?? "wav";
  if (values.format !== undefined && format !== "wav")
    throw new EngineError("usage", "is for the samples of a WAV file", { where: "--format", actual: format });
  return format;
}

/** @throws EngineError `usage` for two flags of one file: the second would overwrite the first. */
function requireDifferent(files: readonly (readonly [flag: string, file: OutputFile])[]): void {
  for (const [i, [flag, { identity }]] of files.entries()) {
    const same = files.slice(0, i).find(([, other]) => other.identity === identity);
    if (same !== undefined)
      throw new EngineError("usage", `names the same file as ${same[0]}`, { where: flag, fix: "give another" });
  }
}

async function captionFiles(values: Values): Promise<CaptionFile[]> {
  const files: CaptionFile[] = [];
  for (const [flag, kind] of [
    ["srt", "srt"],
    ["vtt", "vtt"],
    ["captions", "json"],
  ] as const) {
    const name = values[flag];
    if (name !== undefined) files.push({ kind, file: await requireOutput(`--${flag}`, name, [`.${kind}`, ""]) });
  }
  return files;
}

export async function speechOptions(values: Values): Promise<SayOptions["speech"]> {
  const split = choiceFlag("split", values.split, ["auto", "none"]);
  const count = (flag: "batch" | "retries" | "takes" | "carry", least: number): number | undefined => {
    const isGood = (n: number): boolean => Number.isSafeInteger(n) && n >= least && n <= 100;
    return numberFlag(flag, values[flag], isGood, `an integer from ${least} to 100`);
  };
  return defined({
    split,
    language: values.language,
    cast: pairsFlag("cast", values.cast),
    gaps: gapsOf(values.gaps),
    batch: count("batch", 1),
    normalize: choiceFlag("normalize", values.normalize, ["none", "basic"]),
    lexicon: values.lexicon === undefined ? undefined : await readLexiconFile(values.lexicon),
    retries: count("retries", 0),
    takes: count("takes", 1),
    carry: count("carry", 0),
    loudness: numberFlag("loudness", values.loudness, (l) => l >= -70 && l <= 0, "LUFS from -70 to 0"),
    strict: values.strict === true,
  });
}

/** @throws EngineError `usage` where nothing would show them. */
function wordsOption(values: Values, captions: readonly CaptionFile[]): boolean {
  if (values.words === true && values.json !== true && !captions.some(({ kind }) => kind !== "srt"))
    throw new EngineError("usage", "is for --vtt, --captions and --json", {
      where: "--words",
      fix: "give one of them",
    });
  return values.words === true;
}

function latencyOptions(values: Values): LatencyOptions | null {
  const latency = choiceFlag("latency", values.latency, ["exact", "low"]);
  const lookahead = numberFlag("lookahead", values.lookahead, isLength, "an integer ≥ 0");
  if (lookahead !== undefined && latency !== "low")
    throw new EngineError("usage", "is for --latency low", { where: "--lookahead", fix: "leave it out" });
  return latency === undefined ? null : defined({ latency, lookahead });
}

function isLength(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function gapsOf(text: string | undefined): Partial<Gaps> | undefined {
  const pairs = pairsFlag("gaps", text);
  if (pairs === undefined) return undefined;
  const kinds = Object.keys(defaultGaps);
  const wrong = Object.entries(pairs).find(([kind, ms]) => !kinds.includes(kind) || !/^\d+(?:\.\d*)?$/.test(ms));
  if (wrong === undefined) return Object.fromEntries(Object.entries(pairs).map(([kind, ms]) => [kind, Number(ms)]));
  throw new EngineError("usage", "wrong value", {
    where: "--gaps",
    expected: `milliseconds of ${kinds.join(", ")}`,
    actual: wrong.join("="),
  });
}

export function generateKwargs(values: Values): GenerateKwargs {
  const temperature = (flag: keyof Values): { temperature: number } | undefined => {
    const isGood = (value: number): boolean => value > 0;
    const value = numberFlag(flag, values[flag] as string | undefined, isGood, "a number above 0, or --greedy");
    return value === undefined ? undefined : { temperature: value };
  };
  const probability = (flag: "top-p" | "min-eos-p"): number | undefined =>
    numberFlag(flag, values[flag], (value) => value >= 0 && value <= 1, "a number from 0 to 1");
  const sampling = {
    temperature: temperature("temperature")?.temperature,
    semantic_temperature: temperature("semantic-temperature")?.temperature,
    coarse_temperature: temperature("coarse-temperature")?.temperature,
    fine_temperature: temperature("fine-temperature")?.temperature,
    top_k: numberFlag("top-k", values["top-k"], isCount, "an integer ≥ 1"),
    top_p: probability("top-p"),
  };
  const length = {
    min_eos_p: probability("min-eos-p"),
    semantic_max_new_tokens: numberFlag(
      "max-semantic-tokens",
      values["max-semantic-tokens"],
      isCount,
      "an integer ≥ 1",
    ),
  };
  if (values.greedy !== true) return defined({ ...sampling, ...length });
  const clash = Object.entries(sampling).find(([, value]) => value !== undefined)?.[0];
  if (clash !== undefined)
    throw new EngineError("usage", `--greedy picks without --${clash.replaceAll("_", "-")}`, {
      fix: "leave out one of them",
    });
  return defined({ do_sample: false, temperature: null, fine_temperature: null, ...length });
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function isSeed(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
