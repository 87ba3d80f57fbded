import type { Range } from "../split/sentences.ts";

/** A stretch of the text and the stretch of the source that it comes from. */
interface Span {
  readonly at: number;
  readonly length: number;
  readonly source: Range;
}

/** Where the stretches of a text come from, as plain JSON: of each its length, and where it begins and ends in the source. */
export type SourceSpans = readonly (readonly [length: number, from: number, to: number])[];

/** A text that was taken out of a source, and where each stretch of it comes from. */
export class MappedText {
  #text = "";
  readonly #spans: Span[] = [];

  /** A text that is its own source. */
  static of(text: string): MappedText {
    const mapped = new MappedText();
    mapped.copy(text, 0, text.length);
    return mapped;
  }

  /** A text that stretches of a source stand for. */
  static from(text: string, spans: SourceSpans): MappedText {
    const mapped = new MappedText();
    let at = 0;
    for (const [length, start, end] of spans) mapped.replace(text.slice(at, (at += length)), { start, end });
    return mapped;
  }

  get text(): string {
    return this.#text;
  }

  /** Adds source[start, end) as it is. */
  copy(source: string, start: number, end: number): void {
    if (end > start) this.replace(source.slice(start, end), { start, end });
  }

  /** Adds a text that stands for a stretch of the source. */
  replace(text: string, source: Range): void {
    if (text === "") return;
    this.#spans.push({ at: this.#text.length, length: text.length, source });
    this.#text += text;
  }

  /** Adds [start, end) of another text of the same source. */
  copyFrom(other: MappedText, { start, end }: Range): void {
    for (let i = other.#spanAt(start); i < other.#spans.length && other.#spans[i].at < end; i++) {
      const { at, length } = other.#spans[i];
      const part = { start: Math.max(start, at), end: Math.min(end, at + length) };
      if (part.start < part.end) this.replace(other.#text.slice(part.start, part.end), other.sourceOf(part));
    }
  }

  /** What [start, end) of the text comes from. Neighbours that stand in the source as here are one stretch. */
  spansOf(range: Range): SourceSpans {
    const part = new MappedText();
    part.copyFrom(this, range);
    const spans: (readonly [number, number, number])[] = [];
    for (const { length, source } of part.#spans) {
      const [last, isVerbatim] = [spans.at(-1), length === source.end - source.start];
      const goesOn = last?.[2] === source.start && last[0] === last[2] - last[1] && isVerbatim;
      if (goesOn) spans[spans.length - 1] = [last[0] + length, last[1], source.end];
      else spans.push([length, source.start, source.end]);
    }
    return spans;
  }

  /** The stretch of the source that [start, end) of the text comes from. */
  sourceOf({ start, end }: Range): Range {
    return { start: this.#edge(start, false), end: this.#edge(end, true) };
  }

  #edge(at: number, isEnd: boolean): number {
    const span = this.#spans[this.#spanAt(isEnd ? at - 1 : at)];
    if (span === undefined) return 0;
    // A stretch that was replaced has no inside: all of it stands for all of the source's.
    if (span.source.end - span.source.start !== span.length) return isEnd ? span.source.end : span.source.start;
    return span.source.start + at - span.at;
  }

  #spanAt(at: number): number {
    let [low, high] = [0, this.#spans.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#spans[middle].at <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
