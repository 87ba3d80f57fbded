import type { StreamedPiece } from "../speech/speech.ts";
import { lettersOf } from "../speech/split/measure.ts";
import { secondsBehind } from "../speech/stream/held_back.ts";

/** How much of a text is spoken. Its letters are counted once, not again for each of thousands of parts. */
export class Said {
  readonly #text: string;
  readonly #all: number;
  #at = 0;
  #letters = 0;

  constructor(text: string) {
    this.#text = text;
    this.#all = Math.max(1, lettersOf(text));
  }

  /**
   * Takes the next part.
   * @returns seconds of sound that are still to come, about, and the share of the letters that are spoken, 0 to 1.
   */
  take(part: Pick<StreamedPiece, "source" | "is_last" | "end">): { left: number; share: number } {
    const before = this.#letters;
    const end = Math.max(this.#at, part.source[1]);
    this.#letters += lettersOf(this.#text.slice(this.#at, end));
    this.#at = end;
    const left = secondsBehind(part, this.#letters, this.#all);
    return { left, share: (part.is_last ? this.#letters : before) / this.#all };
  }
}
