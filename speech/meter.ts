import { lettersOf } from "./split/measure.ts";
import { Pace } from "./guard.ts";

/** How far a text is spoken. */
export interface WholeProgress {
  /** Pieces that are spoken, and all. */
  readonly done: number;
  readonly pieces: number;
  /** Of sound, without the silence between pieces. */
  readonly seconds: number;
  /** An estimate, from the letters that are left. */
  readonly seconds_left: number;
  /** Takes beyond the first of each piece. */
  readonly retries: number;
  /** Time that speaking took, divided by that of the sound; above 1 it is slower than it is heard. Null before the first piece. */
  readonly real_time_factor: number | null;
}

/** Measures how far a text is spoken, and how fast. */
export class SpeechMeter {
  readonly #pieces: number;
  readonly #pace = new Pace();
  #letters: number;
  #done = 0;
  #seconds = 0;
  #retries = 0;
  /** Of sound that was made while this measured. */
  #made = 0;
  readonly #began = performance.now();
  #took = 0;

  constructor(texts: readonly string[]) {
    this.#pieces = texts.length;
    this.#letters = texts.reduce((sum, text) => sum + lettersOf(text), 0);
  }

  /** A piece is spoken. @param isNew it was made now, not found from an earlier run. */
  add(text: string, seconds: number, attempts: number, isNew = true): void {
    this.#done++;
    this.#letters -= lettersOf(text);
    this.#seconds += seconds;
    this.#retries += attempts - 1;
    this.#pace.add(text, seconds);
    if (!isNew) return;
    this.#made += seconds;
    this.#took = (performance.now() - this.#began) / 1000;
  }

  get whole(): WholeProgress {
    return {
      done: this.#done,
      pieces: this.#pieces,
      seconds: this.#seconds,
      seconds_left: this.#pace.ofLetters(this.#letters),
      retries: this.#retries,
      real_time_factor: this.#made > 0 ? this.#took / this.#made : null,
    };
  }
}
