import { lettersOf } from "./measure.ts";
import { splitText, type SplitOptions } from "./pieces.ts";

/** A piece is final when so many letters follow it: before, they might belong to it. */
const lettersAhead = 20;

export interface TextSplitterOptions extends Omit<SplitOptions, "shortFirst"> {
  /** Where the text may be cut beside the ends of pieces. Default: everywhere but in brackets. */
  readonly canCut?: (text: string, at: number) => boolean;
}

/** Cuts a text that is still being written: each stretch is a piece with the white space around it, and together they are the text. */
export class TextSplitter {
  readonly #options: TextSplitterOptions;
  #buffer = "";
  #isFirst = true;

  constructor(options: TextSplitterOptions = {}) {
    this.#options = options;
  }

  /** More text. @returns the stretches that it ends. */
  push(text: string): string[] {
    this.#buffer += text;
    return this.#take(unclosedFrom(this.#buffer), false);
  }

  /** All that is left, whether or not a sentence ends there. */
  flush(): string[] {
    return this.#take(this.#buffer.length, true);
  }

  #take(end: number, isAll: boolean): string[] {
    const { canCut = () => true, ...options } = this.#options;
    const known = this.#buffer.slice(0, end);
    const pieces = splitText(known, { ...options, shortFirst: this.#isFirst });
    const last = isAll
      ? pieces.length - 1
      : pieces.findLastIndex(({ start, end }) => lettersOf(known.slice(start, end)) >= lettersAhead);
    const brackets = [...known.matchAll(/\[[^\]\r\n]*\]/g)].map(({ index, 0: tag }) => [index, index + tag.length]);
    const isInside = (at: number): boolean => brackets.some(([from, to]) => from < at && at < to);
    const cuts = pieces
      .slice(1, last + 1)
      .map(({ start }) => start)
      .filter((at) => !isInside(at) && canCut(known, at));
    if (isAll && end > 0) cuts.push(end);
    const stretches = cuts.map((cut, i) => known.slice(i === 0 ? 0 : cuts[i - 1], cut));
    this.#buffer = this.#buffer.slice(cuts.at(-1) ?? 0);
    if (stretches.some((stretch) => stretch.trim() !== "")) this.#isFirst = false;
    return stretches;
  }
}

/** Where a bracket begins that is not closed yet: what is in it may be a tag. */
function unclosedFrom(text: string): number {
  const at = text.lastIndexOf("[");
  return at < 0 || /[\]\r\n]/.test(text.slice(at)) ? text.length : at;
}

/** The stretches of what is pushed as it comes. @param pushes null: what is there is all for now. */
export async function* splitPushes(
  pushes: AsyncIterable<string | null>,
  options: TextSplitterOptions = {},
): AsyncGenerator<string, void, undefined> {
  const splitter = new TextSplitter(options);
  for await (const text of pushes) yield* text === null ? splitter.flush() : splitter.push(text);
  yield* splitter.flush();
}
