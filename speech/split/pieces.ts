import { lettersOf } from "./measure.ts";
import { segmentStarts } from "./segments.ts";
import { paragraphsOf, sentencesOf, trimmed, type Range } from "./sentences.ts";

/** What ends a piece of text, for the pause behind it. */
export type PieceEnd = "clause" | "sentence" | "paragraph";

/** Text that one run of the model speaks. */
export interface TextPiece extends Range {
  readonly ends: PieceEnd;
}

/** How long pieces are. Lengths are letters of an alphabet; a character of Chinese, Japanese or Korean counts 3⅓. */
export interface SplitOptions {
  /** Of Bark, such as `de`: its abbreviations. Default: `en`. */
  readonly language?: string;
  /** Sentences share a piece up to this length. Default: 160. */
  readonly goal?: number;
  /** A piece is never longer. Default: 200. */
  readonly most?: number;
  /** The first piece is cut at its first clause of at least 20 letters, else at its first sentence, so that it is heard early. */
  readonly shortFirst?: boolean;
  /** Whether the checkpoint can take a text of this many letters or fewer; nano has 64 slots. Default: always. */
  readonly fits?: (text: string) => boolean;
}

const defaults = { language: "en", goal: 160, most: 200, shortFirst: false, fits: (): boolean => true };

/** A shorter piece comes out badly: Bark was trained on sentences. */
const least = 20;

/**
 * Cuts a text into pieces: paragraphs, then sentences, of which several share a piece; over-long ones at clauses, then
 * words, then graphemes. The pieces and the white space between them are the text.
 */
export function splitText(text: string, options: SplitOptions = {}): TextPiece[] {
  const splitter = new Splitter(text, { ...defaults, ...options });
  return paragraphsOf(text).flatMap((paragraph) => splitter.paragraph(paragraph));
}

class Splitter {
  readonly #text: string;
  readonly #options: Required<SplitOptions>;
  #isFirst: boolean;

  constructor(text: string, options: Required<SplitOptions>) {
    this.#text = text;
    this.#options = options;
    this.#isFirst = options.shortFirst;
  }

  paragraph(paragraph: Range): TextPiece[] {
    const sentences = sentencesOf(this.#text, paragraph, this.#options.language);
    const isFirst = this.#isFirst;
    const first = isFirst ? this.#firstClause(sentences[0]) : undefined;
    this.#isFirst = false;
    const parts = sentences.flatMap((sentence, i) =>
      i === 0 && first !== undefined ? this.#short({ ...sentence, start: first.next }) : this.#short(sentence),
    );
    const alone = isFirst && first === undefined ? this.#firstSentence(parts) : 0;
    const pieces = [...parts.slice(0, alone), ...this.#packed(parts.slice(alone))];
    if (first !== undefined) pieces.unshift({ ...first.range, ends: "clause" });
    return pieces.map((piece, i) => (i + 1 < pieces.length ? piece : { ...piece, ends: "paragraph" }));
  }

  /** The clause that a stream begins with, and where the rest of its sentence starts. */
  #firstClause(sentence: Range): { range: Range; next: number } | undefined {
    for (const end of clauseEnds(this.#text, sentence)) {
      const range = trimmed(this.#text, { start: sentence.start, end });
      if (range === undefined || this.#letters(range) < least) continue;
      const rest = trimmed(this.#text, { start: end, end: sentence.end });
      // A rest of a word or two would come out badly as a piece.
      if (rest === undefined || this.#letters(rest) < least || !this.#fits(range)) return undefined;
      return { range, next: rest.start };
    }
    return undefined;
  }

  /** How many of the parts are a piece of their own to begin with: a sentence that is long enough for one, or none. */
  #firstSentence(parts: readonly TextPiece[]): number {
    const isWhole = (part: Range): boolean => this.#letters(part) >= least;
    return parts.length > 1 && isWhole(parts[0]) && isWhole({ start: parts[1].start, end: parts.at(-1)!.end }) ? 1 : 0;
  }

  /** A sentence, or the parts of one that is too long. */
  #short(sentence: Range): TextPiece[] {
    if (this.#fits(sentence)) return [{ ...sentence, ends: "sentence" }];
    const parts = this.#filled(sentence, [clauseEnds, wordEnds, graphemeEnds]);
    return parts.map((part, i) => ({ ...part, ends: i + 1 < parts.length ? "clause" : "sentence" }));
  }

  /** Fills parts up to the limit with what the first kind of cut leaves; what is still too long is cut in the next way. */
  #filled(range: Range, [cuts, ...finer]: readonly Cuts[]): Range[] {
    const parts: Range[] = [];
    const ends = [...cuts(this.#text, range), range.end];
    let start = range.start;
    for (let next = 0; next < ends.length; next++) {
      next = furthest(next, ends.length, (i) => this.#fits({ start, end: ends[i] }));
      const part = trimmed(this.#text, { start, end: ends[next] });
      start = ends[next];
      if (part === undefined) continue;
      if (this.#fits(part) || finer.length === 0) parts.push(part);
      else parts.push(...this.#filled(part, finer));
    }
    return parts;
  }

  /** Neighbours share a piece up to the goal; one that is too short to come out well, up to the limit. */
  #packed(parts: readonly TextPiece[]): TextPiece[] {
    const pieces: TextPiece[] = [];
    for (const part of parts) {
      const before = pieces.at(-1);
      if (before !== undefined && this.#share(before, part))
        pieces[pieces.length - 1] = { ...part, start: before.start };
      else pieces.push(part);
    }
    return pieces;
  }

  #share(before: Range, part: Range): boolean {
    const both = { start: before.start, end: part.end };
    if (!this.#fits(both)) return false;
    const isShort = this.#letters(before) < least || this.#letters(part) < least;
    return isShort || this.#letters(both) <= this.#options.goal;
  }

  #letters({ start, end }: Range): number {
    return lettersOf(this.#text.slice(start, end));
  }

  #fits(range: Range): boolean {
    return this.#letters(range) <= this.#options.most && this.#options.fits(this.#text.slice(range.start, range.end));
  }
}

/**
 * The last of the places from `first` on up to which all is well, `first` itself whatever it is. Asks few times: a word of a
 * million letters has as many places.
 */
function furthest(first: number, count: number, isWell: (place: number) => boolean): number {
  let step = 1;
  let well = first;
  while (well + step < count && isWell(well + step)) {
    well += step;
    step *= 2;
  }
  for (; step >= 1; step = Math.floor(step / 2)) if (well + step < count && isWell(well + step)) well += step;
  return well;
}

/** Places where a stretch may be cut, in order, its own end not among them. */
type Cuts = (text: string, range: Range) => number[];

/** Behind a mark and before the white space that follows it; ideographic marks need none. */
const clauseEnds: Cuts = (text, range) =>
  matchEnds(text, range, /(?:[;:,·،؛—–…](?:[\p{Pe}\p{Pf}"'’”]*)(?=\s)|\s[—–-](?=\s)|[、，；：])/gu);

const wordEnds: Cuts = (text, range) => matchEnds(text, range, /\s+/gu);

const graphemeEnds: Cuts = (text, { start, end }) => {
  const graphemes = segmentStarts(text.slice(start, end), new Intl.Segmenter(undefined, { granularity: "grapheme" }));
  return graphemes.slice(1).map((index) => start + index);
};

function matchEnds(text: string, { start, end }: Range, pattern: RegExp): number[] {
  const matches = text.slice(start, end).matchAll(pattern);
  return Array.from(matches, ({ index, 0: match }) => start + index + match.length).filter((at) => at < end);
}
