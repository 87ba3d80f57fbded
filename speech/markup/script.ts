import { EngineError } from "../../engine/errors.ts";
import type { Range } from "../split/sentences.ts";
import type { MappedText } from "./source_map.ts";

/** Text of one voice. */
export interface Passage {
  readonly kind: "text";
  readonly text: MappedText;
  /** A name; `undefined`: the voice that the caller chose. */
  readonly voice: string | undefined;
  /** Of a caption: when it is to be heard, in seconds. */
  readonly cue?: readonly [start: number, end: number];
}

/** Silence that the text asks for, in place of the usual gap. */
export interface Pause {
  readonly kind: "pause";
  readonly milliseconds: number;
}

/** A chapter begins. */
export interface Chapter {
  readonly kind: "chapter";
  readonly title: string;
}

/** A text without its markup, in the order in which it is spoken. */
export interface Script {
  /** What offsets count in. */
  readonly source: string;
  readonly parts: readonly (Passage | Pause | Chapter)[];
  /** What was left out, one line each. */
  readonly notices: readonly string[];
}

const longestPause = 60_000;

/**
 * Milliseconds of `1.5s`, `300ms` or, in seconds, `2`.
 * @throws EngineError `bad-input` for anything else, and for more than a minute.
 */
export function readPause(text: string, source: string, at: Range): number {
  const match = /^\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s)?\s*$/i.exec(text);
  const milliseconds = match === null ? NaN : Number(match[1]) * (match[2]?.toLowerCase() === "ms" ? 1 : 1000);
  if (milliseconds <= longestPause) return milliseconds;
  throw wrong("no such pause", source, at, { expected: "0 to 60 seconds, such as 1.5s or 300ms", actual: text });
}

/** A fault in the markup, with its line and column. */
export function wrong(
  problem: string,
  source: string,
  { start }: Pick<Range, "start">,
  details: { expected?: string; actual?: string; fix?: string } = {},
): EngineError {
  const before = source.slice(0, start).split(/\r\n?|\n/);
  return new EngineError("bad-input", problem, {
    where: `text, line ${before.length}, column ${before.at(-1)!.length + 1}`,
    ...details,
  });
}
