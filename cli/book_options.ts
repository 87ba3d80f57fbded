import { readFile } from "node:fs/promises";
import path from "node:path";
import { audioFormatNames, type AudioFormat } from "../audio/encode/formats.ts";
import { EngineError } from "../engine/errors.ts";
import type { BookText } from "../speech/book/read/book.ts";
import { readBook, requireBookName } from "../speech/book/read/read_book.ts";
import { choiceFlag, parseCommandLine, requirePositionals } from "./command_line.ts";
import { defaultModel } from "./files/model_location.ts";
import {
  bitrateOption,
  flags as sayFlags,
  generateKwargs,
  loadOptions,
  seedOption,
  speechOptions,
  type SayOptions,
} from "./say_options.ts";

/** A book is more files than one, all of pieces, and a piece of it does not depend on the one before. */
const notOfBooks = [
  "carry",
  "loudness",
  "words",
  "file",
  "format",
  "play",
  "split",
  "srt",
  "vtt",
  "captions",
  "save-voice",
] as const;
const shared = Object.fromEntries(
  Object.entries(sayFlags).filter(([name]) => !(notOfBooks as readonly string[]).includes(name)),
) as Omit<typeof sayFlags, (typeof notOfBooks)[number]>;
const farmFlags = {
  queue: { type: "string" },
  store: { type: "string" },
  detach: { type: "boolean" },
  pause: { type: "boolean" },
  cancel: { type: "boolean" },
} as const;
const flags = { ...shared, ...farmFlags, sample: { type: "boolean" } } as const;
/** What the workers of a farm are told, each for itself. */
const ofWorkers = ["device", "batch", "low-memory", "sample"] as const;

/** How a book is spoken by other machines. */
export interface FarmOptions {
  /** Address of the Redis. */
  readonly queue: string;
  /** A folder, or `s3://BUCKET/PREFIX`. */
  readonly store: string;
  /** `detach`: put in, and not waited for. */
  readonly action: "speak" | "detach" | "pause" | "cancel";
}

/** What `bark book` was asked for, checked as far as that goes without its file and a checkpoint. */
export interface BookOptions extends Pick<
  SayOptions,
  "model" | "voice" | "audioFormat" | "bitrate" | "kwargs" | "load" | "json" | "quiet"
> {
  readonly file: string;
  readonly folder: string;
  /** The first minute alone. */
  readonly sample: boolean;
  readonly speech: Omit<SayOptions["speech"], "split" | "carry" | "loudness" | "words">;
  /** Undefined: that of the folder, or drawn. */
  readonly seed: number | undefined;
  /** Undefined: this machine speaks it. */
  readonly farm: FarmOptions | undefined;
}

/** @throws EngineError `usage` for a wrong flag or value. */
export async function parseBook(args: readonly string[]): Promise<BookOptions> {
  const { values, positionals } = parseCommandLine("book", args, flags);
  requirePositionals("book", positionals, 1, 1);
  const [file] = positionals;
  requireBookName(file);
  const audioFormat: AudioFormat = choiceFlag("audio-format", values["audio-format"], audioFormatNames) ?? "wav";
  return {
    file,
    folder: values.output ?? `${path.basename(file, path.extname(file))}.book`,
    sample: values.sample === true,
    farm: farmOptions(values),
    model: values.model ?? defaultModel,
    voice: values.voice,
    audioFormat,
    bitrate: bitrateOption(values),
    speech: await speechOptions(values),
    kwargs: generateKwargs(values),
    seed: seedOption(values),
    load: loadOptions(values),
    json: values.json === true,
    quiet: values.quiet === true,
  };
}

type Values = ReturnType<typeof parseCommandLine<typeof flags>>["values"];

function farmOptions(values: Values): FarmOptions | undefined {
  const { queue, store } = values;
  const actions = (["detach", "pause", "cancel"] as const).filter((name) => values[name] === true);
  const wrong = (flag: string, problem: string, fix: string): never => {
    throw new EngineError("usage", problem, { where: `--${flag}`, fix });
  };
  if (queue === undefined) {
    const [lone] = [...(store === undefined ? [] : ["store"]), ...actions];
    return lone === undefined ? undefined : wrong(lone, "is of a book that a farm speaks", "give --queue, too");
  }
  if (store === undefined) return wrong("queue", "needs a store that the workers share", "give --store, too");
  const other = ofWorkers.find((name) => values[name] !== undefined);
  if (other !== undefined)
    wrong(other, "is not of a book that a farm speaks", "leave it out, or give it to the workers");
  if (actions.length > 1) wrong(actions[1], `does not go with --${actions[0]}`, "leave out one of them");
  if (values.output !== undefined && !/^(?!voices$|requests$)[^./\\][^/\\]*$/.test(values.output))
    wrong("output", "is the name of a folder in the store", "give one without slashes");
  return { queue, store, action: actions[0] ?? "speak" };
}

/** Most bytes of a book's file; its pictures count, too. */
const mostBytes = 1 << 30;

/**
 * The book's file; undefined if there is none.
 * @throws EngineError `bad-input` for what is no book, or a folder.
 */
export async function readBookFile(
  file: string,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; text: BookText } | undefined> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await readFile(file));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new EngineError("bad-input", `cannot be read: ${message.split(",")[0]}`, { where: file, cause });
  }
  if (bytes.length > mostBytes)
    throw new EngineError("bad-input", "is too large for a book", {
      where: file,
      expected: `at most ${mostBytes} bytes`,
    });
  return { bytes, text: await readBook(bytes, file) };
}
