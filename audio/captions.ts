import { EngineError } from "../engine/errors.ts";

/** A stretch of sound and what is said in it. */
export interface Cue {
  readonly text: string;
  /** Seconds from the beginning of the sound. */
  readonly start: number;
  readonly end: number;
  /** Where the text lies in its source: UTF-16 offsets [from, to). */
  readonly source?: readonly [from: number, to: number];
  /** Its words with the marks that belong to them, as they follow each other in its text. */
  readonly words?: readonly Pick<Cue, "text" | "start">[];
}

/** SubRip: numbered cues, and no header. Cues without text are left out, since players show an empty box or stop there. */
export function encode_srt(cues: readonly Cue[]): string {
  return blocks(cues, (cue, i) => `${i + 1}\n${timing(cue, ",")}\n${oneBlock(cue.text)}`).join("\n");
}

/** WebVTT (W3C 2019), with the characters of its markup escaped, and the time of each word. Cues without text are left out. */
export function encode_vtt(cues: readonly Cue[]): string {
  return ["WEBVTT\n", ...blocks(cues, (cue) => `${timing(cue, ".")}\n${oneBlock(withTimes(cue))}`)].join("\n");
}

/** The cues as they are, with whatever else they hold. */
export function encode_json(cues: readonly Cue[]): string {
  return `${JSON.stringify(cues, null, 1)}\n`;
}

/** The escaped text, and before each word its time: within those of the cue, and each later than the one before. */
function withTimes({ text, start, end, words = [] }: Cue): string {
  let [marked, at, last] = ["", 0, clock(start, ".")];
  for (const word of words) {
    const [from, time] = [text.indexOf(word.text, at), clock(word.start, ".")];
    if (from < 0) continue;
    const isLater = word.start > start && word.start < end && time !== last && time !== clock(end, ".");
    marked += escaped(text.slice(at, from)) + (isLater ? `<${time}>` : "");
    at = from;
    if (isLater) last = time;
  }
  return marked + escaped(text.slice(at));
}

function blocks(cues: readonly Cue[], block: (cue: Cue, index: number) => string): string[] {
  return cues.filter(({ text }) => text.trim() !== "").map((cue, i) => `${block(cue, i)}\n`);
}

/** An empty line would end the cue. */
function oneBlock(text: string): string {
  return text.trim().replaceAll(/\s*(?:\r\n|[\r\n\u2028\u2029])\s*/g, "\n");
}

function timing({ start, end }: Cue, point: string): string {
  return `${clock(start, point)} --> ${clock(end, point)}`;
}

/** HH:MM:SS.mmm; hours take more digits where they need them. */
function clock(seconds: number, point: string): string {
  const ms = Math.round(seconds * 1000);
  const part = (unit: number, base = Infinity): string => String(Math.floor(ms / unit) % base).padStart(2, "0");
  return `${part(3_600_000)}:${part(60_000, 60)}:${part(1000, 60)}${point}${String(ms % 1000).padStart(3, "0")}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// ---- reading

/** A line of a file, without its end. */
interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** UTF-16 offset in the file. */
  readonly at: number;
}

const timingLine = /^\s*(\S+)[ \t]+-->[ \t]+(\S+)(?:[ \t]+.*)?$/;
/** SubRip has a comma and hours, WebVTT a point and may leave out the hours; files with the other's point are common. */
const clockText = /^(?:(\d+):)?([0-5]?\d):([0-5]?\d)[.,](\d{3})$/;
/** Markup: `<i>`, `<v Name>`, `<00:01.000>`, and SubRip's `{\an8}`. */
const tags = /<\/?[a-z][^>]*>|<[\d:.]+>|\{\\[^}]*\}/gi;
const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  nbsp: "\u00a0",
  lrm: "\u200e",
  rlm: "\u200f",
};

/**
 * The cues of an SRT or WebVTT file, in its order, with `source` where their text lies in it. Markup is left out; the lines
 * of a cue are joined by spaces. A cue may have no text, and cues may overlap.
 * @param where name of the file, for errors.
 * @throws EngineError `bad-input` naming the first line that is wrong.
 */
export function decode_captions(file: string, where = "captions"): Cue[] {
  const lines = linesOf(file);
  const isVtt = /^WEBVTT(?:[ \t]|$)/.test(lines[0]?.text ?? "");
  const cues: Cue[] = [];
  for (const block of blocksOf(isVtt ? afterHeader(lines) : lines)) {
    if (isVtt && /^(?:NOTE|STYLE|REGION)(?:\s|$)/.test(block[0].text)) continue;
    const cue = readCue(block, isVtt, where);
    const last = cues.at(-1);
    if (last !== undefined && cue.start < last.start)
      throw broken(where, block[0], "begins before the cue above it", `${last.start} s or later`, `${cue.start} s`);
    cues.push(cue);
  }
  if (cues.length === 0)
    throw new EngineError("bad-input", "holds no cues", {
      where,
      expected: "an SRT file, or a WebVTT file that begins with WEBVTT",
    });
  return cues;
}

/** The header of WebVTT reaches to the first empty line. */
function afterHeader(lines: readonly Line[]): readonly Line[] {
  const end = lines.findIndex(({ text }) => text === "");
  return end < 0 ? [] : lines.slice(end);
}

function linesOf(file: string): Line[] {
  const lines: Line[] = [];
  for (const { 0: text, index } of file.matchAll(/[^\r\n]*(?:\r\n|[\r\n]|$)/g)) {
    const mark = index === 0 && text.startsWith("\ufeff") ? 1 : 0;
    lines.push({ text: text.slice(mark).replace(/[\r\n]+$/, ""), number: lines.length + 1, at: index + mark });
  }
  return lines;
}

/** Lines between empty ones. */
function blocksOf(lines: readonly Line[]): Line[][] {
  const blocks: Line[][] = [];
  let block: Line[] = [];
  for (const line of [...lines, { text: "", number: 0, at: 0 }])
    if (line.text.trim() !== "") block.push(line);
    else if (block.length > 0) {
      blocks.push(block);
      block = [];
    }
  return blocks;
}

/** A number or (WebVTT) any name may stand above the times. */
function readCue(block: readonly Line[], isVtt: boolean, where: string): Cue {
  const index = block[0].text.includes("-->") ? 0 : 1;
  if (index === 1 && !isVtt && !/^\s*\d+\s*$/.test(block[0].text))
    throw broken(where, block[0], "is not a cue", "a number, then a line of times", JSON.stringify(block[0].text));
  const line = block.at(index) ?? block[0];
  const times = timingLine.exec(line.text);
  if (times === null)
    throw broken(where, line, "has no times", "HH:MM:SS,mmm --> HH:MM:SS,mmm", JSON.stringify(line.text));
  const [start, end] = [times[1], times[2]].map((text) => readClock(text, line, where));
  if (end < start) throw broken(where, line, "ends before it begins", `${start} s or later`, `${end} s`);
  const texts = block.slice(index + 1);
  const cue = { text: plain(texts, isVtt), start, end };
  const last = texts.at(-1);
  return last === undefined ? cue : { ...cue, source: [texts[0].at, last.at + last.text.length] };
}

function readClock(text: string, line: Line, where: string): number {
  const parts = clockText.exec(text);
  if (parts === null) throw broken(where, line, "has a time that cannot be read", "HH:MM:SS,mmm", JSON.stringify(text));
  const [hours = "0", minutes, seconds, ms] = parts.slice(1) as (string | undefined)[];
  return (Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(ms)) / 1000;
}

function plain(lines: readonly Line[], isVtt: boolean): string {
  const text = lines.map((line) => line.text.replaceAll(tags, "").trim()).join(" ");
  const known = (whole: string, name: string): string => entities[name] ?? whole;
  return (isVtt ? text.replaceAll(/&(\w+);/g, known) : text).trim();
}

function broken(where: string, { number }: Line, message: string, expected: string, actual: string): EngineError {
  return new EngineError("bad-input", message, { where: `${where} line ${number}`, expected, actual });
}
