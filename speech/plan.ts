import { defaultGaps, type GapKind } from "../audio/join.ts";
import { EngineError } from "../engine/errors.ts";
import { readDialogue, readTurns, type Cast, type Turn } from "./markup/dialogue.ts";
import type { Script } from "./markup/script.ts";
import { isSsml, readSsml } from "./markup/ssml.ts";
import { readTags } from "./markup/tags.ts";
import { changeOf, type Change, type Rewriter } from "./normalize/rewrite.ts";
import { splitText, type PieceEnd, type SplitOptions } from "./split/pieces.ts";

/** What is spoken: a text with tags, SSML (it begins with `<speak`), or the turns of several speakers. */
export type SpeechInput = string | readonly Turn[];

/** What one run of the model speaks. */
export interface PlannedPiece {
  /** As it is spoken, without markup. */
  readonly text: string;
  /** UTF-16 units of the source that it comes from: [from, to). */
  readonly source: readonly [number, number];
  /** A preset's name; null: the caller's voice, or the one that Bark makes up for the first piece. */
  readonly voice: string | null;
  /** Silence before it, in ms. */
  readonly gap: number;
  /** Whether a paragraph, a chapter or another speaker begins with it. */
  readonly begins: boolean;
  /** Where it is spoken otherwise than the source has it written, if anywhere. */
  readonly changes?: readonly Change[];
  /** The first of a caption that is to be heard then: its start and end, in seconds. */
  readonly cue?: readonly [start: number, end: number];
}

/**
 * The pieces of a text, computed once: where a text is cut depends on the runtime's ICU, so a plan that goes on later or on
 * another machine is stored, never computed again. It is plain JSON.
 */
export interface SpeechPlan {
  readonly version: 1;
  readonly pieces: readonly PlannedPiece[];
  /** Titles, and the piece that each begins with. */
  readonly chapters: readonly { readonly title: string; readonly piece: number }[];
  /** Silence behind the last piece, in ms. */
  readonly end: number;
  /** What of the markup has no effect, one line each. */
  readonly notices: readonly string[];
}

export type Gaps = Readonly<Record<GapKind, number>>;

export interface PlanOptions extends SplitOptions {
  /** Speakers of the lines `NAME: text`, by name. */
  readonly cast?: Cast;
  /** Silence in ms by what ends a piece. */
  readonly gaps?: Partial<Gaps>;
  /** Makes the text speakable; offsets stay those of the source. */
  readonly rewrite?: Rewriter | undefined;
}

const gapOf = { clause: "comma", sentence: "sentence", paragraph: "paragraph" } as const satisfies Record<
  PieceEnd,
  GapKind
>;

/**
 * The pieces of a text, with their voices and the silence between them.
 * @throws EngineError `usage` if there is nothing to say, `bad-input` for wrong markup.
 */
export function planSpeech(input: SpeechInput | Script, options: PlanOptions = {}): SpeechPlan {
  const script = readScript(input, options.cast);
  const gaps: Gaps = { ...defaultGaps, ...options.gaps };
  const pieces: PlannedPiece[] = [];
  const chapters: SpeechPlan["chapters"][number][] = [];
  let last: { voice: string | null; ends: PieceEnd } | undefined;
  let pause: number | undefined;
  let isChapter = false;
  const gapBefore = (voice: string | null): number => {
    if (pause !== undefined) return pause;
    if (last === undefined) return 0;
    if (isChapter) return gaps.chapter;
    return last.voice === voice ? gaps[gapOf[last.ends]] : gaps.speaker;
  };
  for (const part of script.parts) {
    if (part.kind === "pause") pause = (pause ?? 0) + part.milliseconds;
    else if (part.kind === "chapter") {
      chapters.push({ title: part.title, piece: pieces.length });
      isChapter = true;
    } else {
      const voice = part.voice ?? null;
      const { text: spoken, changes } = options.rewrite?.(part.text) ?? { text: part.text, changes: [] };
      let told = 0;
      let { cue } = part;
      for (const piece of splitText(spoken.text, {
        ...options,
        shortFirst: options.shortFirst === true && pieces.length === 0,
      })) {
        const { start, end } = spoken.sourceOf(piece);
        const text = spoken.text.slice(piece.start, piece.end);
        const untold = told;
        while (told < changes.length && changes[told].at < piece.end) told++;
        const changed = changes.slice(untold, told).map(changeOf);
        const begins = isChapter || last === undefined || last.ends === "paragraph" || last.voice !== voice;
        pieces.push({
          ...{ text, source: [start, end], voice, gap: gapBefore(voice), begins },
          ...(changed.length > 0 && { changes: changed }),
          ...(cue && { cue }),
        });
        cue = undefined;
        last = { voice, ends: piece.ends };
        pause = undefined;
        isChapter = false;
      }
    }
  }
  if (pieces.length === 0) throw new EngineError("usage", "there is nothing to say", { where: "text" });
  return { version: 1, pieces, chapters, end: pause ?? 0, notices: script.notices };
}

function readScript(input: SpeechInput | Script, cast: Cast = {}): Script {
  if (isScript(input)) return readDialogue(input, cast);
  if (typeof input !== "string") return readTurns(input, cast);
  return isSsml(input) ? readSsml(input) : readDialogue(readTags(input), cast);
}

function isScript(input: SpeechInput | Script): input is Script {
  return typeof input === "object" && "parts" in input;
}
