import { EngineError } from "../../engine/errors.ts";
import { MappedText } from "./source_map.ts";
import { readTags } from "./tags.ts";
import type { Passage, Script } from "./script.ts";

/** One speaker's text. */
export interface Turn {
  /** A preset's name, or a name of the cast. */
  readonly voice?: string;
  readonly text: string;
}

/** Voices by the names under which they speak: `{ ANNA: "en_speaker_0" }`. */
export type Cast = Readonly<Record<string, string>>;

/** Turns as one source: their texts with a blank line between. Tags hold in each; a voice lasts to the end of its turn. */
export function readTurns(turns: readonly Turn[], cast: Cast = {}): Script {
  const scripts = turns.map(({ text }) => readTags(text));
  const source = turns.map(({ text }) => text).join("\n\n");
  let offset = 0;
  const parts = scripts.flatMap(({ parts, source: own }, i) => {
    const voice = turns[i].voice === undefined ? undefined : (lookUp(cast, turns[i].voice) ?? turns[i].voice);
    const start = offset;
    offset += own.length + 2;
    return parts.map((part) => (part.kind === "text" ? shifted(part, start, source, voice) : part));
  });
  return { source, parts, notices: scripts.flatMap(({ notices }) => notices) };
}

function shifted({ text, voice }: Passage, offset: number, source: string, ofTurn: string | undefined): Passage {
  const moved = new MappedText();
  const { start, end } = text.sourceOf({ start: 0, end: text.text.length });
  moved.copy(source, offset + start, offset + end);
  return { kind: "text", text: moved, voice: voice ?? ofTurn };
}

/**
 * Lines `NAME: text` of a cast become passages of that voice, up to the next such line or a blank line. Names are found
 * whatever their case; a line of any other name is text.
 */
export function readDialogue(script: Script, cast: Cast): Script {
  const names = Object.keys(cast);
  if (names.length === 0) return script;
  const escaped = names.map((name) => name.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (escaped.includes("")) throw new EngineError("usage", "a name of the cast is empty", { where: "cast" });
  const line = new RegExp(`(?<=^|\\n|\\r)[^\\S\\r\\n]*(${escaped.join("|")})[^\\S\\r\\n]*[:：]`, "giu");
  const parts = script.parts.flatMap((part): Script["parts"] =>
    part.kind === "text" ? spokenBy(part, script, line, cast) : [part],
  );
  return { ...script, parts };
}

function spokenBy({ text, voice }: Passage, { source }: Script, line: RegExp, cast: Cast): Passage[] {
  const whole = text.text;
  const { start: origin } = text.sourceOf({ start: 0, end: whole.length });
  const passages: Passage[] = [];
  const add = (start: number, end: number, speaker: string | undefined): void => {
    if (whole.slice(start, end).trim() === "") return;
    const part = new MappedText();
    part.copy(source, origin + start, origin + end);
    passages.push({ kind: "text", text: part, voice: speaker });
  };
  let at = 0;
  let speaker = voice;
  for (const match of whole.matchAll(line)) {
    addUpTo(match.index);
    speaker = lookUp(cast, match[1]);
    at = match.index + match[0].length;
  }
  addUpTo(whole.length);
  return passages;

  /** A blank line ends what a speaker says. */
  function addUpTo(end: number): void {
    const blank = speaker === voice ? -1 : whole.slice(at, end).search(/(?:\r\n?|\n)[^\S\r\n]*(?:\r\n?|\n)/);
    add(at, blank < 0 ? end : at + blank, speaker);
    if (blank >= 0) add(at + blank, end, voice);
  }
}

function lookUp(cast: Cast, name: string): string | undefined {
  const own = Object.keys(cast).find((key) => key.trim().toLowerCase() === name.trim().toLowerCase());
  return own === undefined ? undefined : cast[own];
}
