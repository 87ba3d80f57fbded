import type { ChapterMark } from "../../audio/ffmetadata.ts";
import { faultsOf, type Flag } from "../guard.ts";
import type { PlannedPiece } from "../plan.ts";
import type { StoredPiece } from "./pieces.ts";
import type { BookPlan } from "./plan.ts";
import type { Stretch } from "./timeline.ts";

/** Where a piece is heard in the whole, in seconds. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** What became of a piece. */
export interface ReportedPiece extends Place {
  readonly text: string;
  /** Characters of the source: of FILE, or of an EPUB's text. */
  readonly source: readonly [from: number, to: number];
  readonly voice: string | null;
  readonly flags: readonly Flag[];
  readonly attempts: number;
  /** Of the take that was kept. */
  readonly seed: string;
  readonly key: string;
  /** Why it could not be spoken, if it could not. */
  readonly lost?: string;
  /** Where it is spoken otherwise than written, if anywhere. */
  readonly changes?: PlannedPiece["changes"];
  /** Of a caption: when it is to be heard, and how much later than that it begins and ends, in seconds. */
  readonly cue?: readonly [start: number, end: number];
  readonly late?: number;
  readonly overrun?: number;
}

/** `report.json`: every piece of a book, in its order. It depends on the pieces alone, never on when they were spoken. */
export interface BookReport {
  readonly title: string;
  readonly author: string | null;
  readonly file: string;
  readonly seconds: number;
  /** Takes beyond the first of each piece. */
  readonly retries: number;
  /** Pieces without a good take. */
  readonly flagged: number;
  /** Captions that last longer than they may. */
  readonly overruns: number;
  /** Pieces that could not be spoken, if there are any: silence stands for them. */
  readonly lost?: number;
  readonly chapters: readonly (ChapterMark & Stretch & { readonly file: string })[];
  readonly pieces: readonly ReportedPiece[];
  /** All files of the book, beside plan and pieces. */
  readonly files: readonly string[];
}

/** Less than a listener notices. */
const tolerance = 0.05;

export function reportOf(
  { plan, stored }: { plan: BookPlan; stored: readonly StoredPiece[] },
  sound: { places: readonly Place[] } & Pick<BookReport, "seconds" | "chapters" | "files">,
): BookReport {
  const { places, seconds, chapters, files } = sound;
  const pieces = plan.pieces.map(({ text, source, voice, key, cue, changes }, i): ReportedPiece => {
    const { flags, attempts, seed, lost } = stored[i];
    const timing = cue === undefined ? {} : { cue, ...lateness(plan, places, i, cue) };
    return {
      text,
      source,
      voice,
      ...places[i],
      flags,
      attempts,
      seed,
      key,
      ...(lost !== undefined && { lost }),
      ...(changes && { changes }),
      ...timing,
    };
  });
  const lost = stored.filter((piece) => piece.lost !== undefined).length;
  return {
    title: plan.title,
    author: plan.author,
    file: plan.file,
    seconds,
    retries: stored.reduce((sum, { attempts }) => sum + attempts - 1, 0),
    flagged: stored.filter(({ flags }) => faultsOf(flags).length > 0).length,
    overruns: pieces.filter(({ overrun }) => overrun !== undefined).length,
    ...(lost > 0 && { lost }),
    chapters,
    pieces,
    files,
  };
}

/** A caption may be several pieces: it ends with the last before the next caption. */
function lateness(
  { pieces }: BookPlan,
  places: readonly Place[],
  first: number,
  [start, end]: readonly [number, number],
): Pick<ReportedPiece, "late" | "overrun"> {
  const next = pieces.findIndex(({ cue }, i) => i > first && cue !== undefined);
  const late = places[first].start - start;
  const overrun = places[next < 0 ? pieces.length - 1 : next - 1].end - end;
  return { ...(late > tolerance ? { late } : {}), ...(overrun > tolerance ? { overrun } : {}) };
}
