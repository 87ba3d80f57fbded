import { defaultGaps, type GapKind } from "../audio/join.ts";
import { EngineError } from "../engine/errors.ts";
import { readDialogue, readTurns, type Cast, type Turn } from "./markup/dialogue.ts";
import type { Passage, Script } from "./markup/script.ts";
import type { SourceSpans } from "./markup/source_map.ts";
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
  /** Where each stretch of it comes from, if the source does not have it word for word. */
  readonly spans?: SourceSpans;
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
  const planner = new Planner(options);
  const pieces = planner.add(script);
  if (pieces.length === 0) throw nothingToSay();
  return { version: 1, pieces, chapters: planner.chapters, end: planner.end, notices: script.notices };
}

export function nothingToSay(): EngineError {
  return new EngineError("usage", "there is nothing to say", { where: "text" });
}

/** Plans a text, or one script after the other of a text that is still being written. */
export class Planner {
  readonly chapters: SpeechPlan["chapters"][number][] = [];
  readonly #options: PlanOptions;
  readonly #gaps: Gaps;
  #count = 0;
  #last: { voice: string | null; ends: PieceEnd } | undefined;
  #pause: number | undefined;
  #isChapter = false;

  constructor(options: PlanOptions) {
    this.#options = options;
    this.#gaps = { ...defaultGaps, ...options.gaps };
  }

  /** Silence that the text asks for at its end, in ms. */
  get end(): number {
    return this.#pause ?? 0;
  }

  /** The pieces of a script that follows the others. */
  add({ parts }: Script): PlannedPiece[] {
    const pieces: PlannedPiece[] = [];
    for (const part of parts) {
      if (part.kind === "pause") this.#pause = (this.#pause ?? 0) + part.milliseconds;
      else if (part.kind === "chapter") {
        this.chapters.push({ title: part.title, piece: this.#count });
        this.#isChapter = true;
      } else pieces.push(...this.#passage(part));
    }
    return pieces;
  }

  /** What was planned last goes on behind it: it ended no paragraph. */
  goOn(): void {
    if (this.#last?.ends === "paragraph") this.#last = { ...this.#last, ends: "sentence" };
  }

  *#passage({ text: mapped, voice: named, cue: given }: Passage): Generator<PlannedPiece, void, undefined> {
    const voice = named ?? null;
    const shortFirst = this.#options.shortFirst === true && this.#count === 0;
    const { text: spoken, changes } = this.#options.rewrite?.(mapped) ?? { text: mapped, changes: [] };
    let told = 0;
    let cue = given;
    for (const { start: from, end: to, ends } of splitText(spoken.text, { ...this.#options, shortFirst })) {
      const { start, end } = spoken.sourceOf({ start: from, end: to });
      const [text, last] = [spoken.text.slice(from, to), this.#last];
      const untold = told;
      while (told < changes.length && changes[told].at < to) told++;
      const changed = changes.slice(untold, told).map(changeOf);
      const spans = spoken.spansOf({ start: from, end: to });
      const begins = this.#isChapter || last === undefined || last.ends === "paragraph" || last.voice !== voice;
      yield {
        ...{ text, source: [start, end], voice, gap: this.#gapBefore(voice), begins },
        ...(changed.length > 0 && { changes: changed }),
        ...((spans.length > 1 || spans[0][0] !== end - start) && { spans }),
        ...(cue && { cue }),
      };
      cue = undefined;
      this.#last = { voice, ends };
      this.#pause = undefined;
      this.#isChapter = false;
      this.#count++;
    }
  }

  #gapBefore(voice: string | null): number {
    if (this.#pause !== undefined) return this.#pause;
    if (this.#last === undefined) return 0;
    if (this.#isChapter) return this.#gaps.chapter;
    return this.#last.voice === voice ? this.#gaps[gapOf[this.#last.ends]] : this.#gaps.speaker;
  }
}

/** @throws EngineError `bad-input` for wrong markup. */
export function readScript(input: SpeechInput | Script, cast: Cast = {}): Script {
  if (isScript(input)) return readDialogue(input, cast);
  if (typeof input !== "string") return readTurns(input, cast);
  return isSsml(input) ? readSsml(input) : readDialogue(readTags(input), cast);
}

function isScript(input: SpeechInput | Script): input is Script {
  return typeof input === "object" && "parts" in input;
}
