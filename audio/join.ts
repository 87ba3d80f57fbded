import { argumentsOf, reader, readNumber, type ReadersOf } from "../engine/check/arguments.ts";
import { checkFinite, readArray, type ArrayInput } from "../engine/check/array_argument.ts";
import { EngineError } from "../engine/errors.ts";
import { concatSamples } from "./concat.ts";

/** Silence before a piece, in ms, by what ended the piece before it. */
export const defaultGaps = { comma: 120, sentence: 250, paragraph: 600, speaker: 500, chapter: 2000 } as const;
export type GapKind = keyof typeof defaultGaps;

/** How a piece is cut and faded. */
export interface JoinOptions {
  /** What is no louder than this, at the ends of a piece, is silence: dB below full scale. Default -45; -Infinity cuts nothing. */
  threshold?: number;
  /** Silence that stays before the first loud sample and after the last, in ms. Defaults 50 and 100. */
  before?: number;
  after?: number;
  /** Length of the raised-cosine fades at the ends of a piece, in ms. Default 5. */
  fade?: number;
}

const readLength = readNumber("milliseconds ≥ 0", (value) => value >= 0);
const readOptions = argumentsOf("Joiner", {
  threshold: reader<number>("dB ≤ 0", (value) => typeof value === "number" && value <= 0),
  before: readLength,
  after: readLength,
  fade: readLength,
} satisfies ReadersOf<JoinOptions>);
const readRate = readNumber("samples a second, above 0", (rate) => rate > 0);
const readSamples = readArray([1], checkFinite);

/** A whole piece, and where it lies in all that was given out: samples [start, end), without the silence before it. */
export interface JoinedPiece {
  /** The silence before the piece, then the piece. */
  readonly audio: Float32Array<ArrayBuffer>;
  readonly start: number;
  readonly end: number;
  /** Samples that were cut from its beginning. */
  readonly skipped: number;
}

/** A piece that has begun. */
interface Piece {
  /** Samples that were not given out: of those that stay, from sample {@link given} on. */
  held: Float32Array<ArrayBuffer>;
  given: number;
  /** Samples that were cut from its beginning. */
  skipped: number;
  /** Samples up to the last loud one; 0 while none was loud. */
  loud: number;
  /** Where its first sample lies in all that is given out. */
  start: number;
}

/**
 * Joins pieces of speech (mono, full scale ±1) into one sound without clicks: each is cut to what is loud, faded at its
 * ends, and has a silence of exact length before it. Samples are given out as soon as no later one can change them. A piece
 * that is wholly silent becomes nothing, and of the silences around it the longest stays.
 */
export class Joiner {
  readonly #rate: number;
  readonly #loud: number;
  readonly #before: number;
  readonly #after: number;
  readonly #fade: number;
  #position = 0;
  /** Samples of silence before what is given out next. */
  #gap = 0;
  #piece: Piece | undefined;

  /** @param sampling_rate samples a second. @throws EngineError `usage` for a wrong option. */
  constructor(sampling_rate: number, given: JoinOptions = {}) {
    this.#rate = readRate(sampling_rate, "sampling_rate");
    const { threshold = -45, before = 50, after = 100, fade = 5 } = readOptions(given);
    this.#loud = 10 ** (threshold / 20);
    this.#before = this.#samples(before);
    this.#after = this.#samples(after);
    this.#fade = this.#samples(fade);
  }

  /** Samples given out so far. */
  get position(): number {
    return this.#position;
  }

  /** Where the piece that has begun lies in all that is given out, once a sample of it was loud. */
  get start(): number {
    return this.#requirePiece(true).start;
  }

  /** A whole piece. @param samples [samples]. @param gap silence before it, in ms. */
  add(samples: ArrayInput, gap = 0): JoinedPiece {
    this.begin(gap);
    const first = this.push(samples);
    const { audio, ...place } = this.end();
    return { audio: concatSamples([first, audio]), ...place };
  }

  /** Begins a piece that comes in parts. @param gap silence before it, in ms. @throws EngineError `usage` within another. */
  begin(gap = 0): void {
    this.#requirePiece(false);
    this.#gap = Math.max(this.#gap, this.#samples(readLength(gap, "gap")));
    this.#piece = { held: new Float32Array(0), given: 0, skipped: 0, loud: 0, start: this.#position };
  }

  /** The next samples of the piece. @returns what they make final. */
  push(samples: ArrayInput): Float32Array<ArrayBuffer> {
    const piece = this.#requirePiece(true);
    const isLoud = (sample: number): boolean => Math.abs(sample) > this.#loud;
    piece.held = concatSamples([piece.held, readSamples(samples, "samples").data]);
    if (piece.loud === 0) {
      const loud = piece.held.findIndex(isLoud);
      const kept = (loud < 0 ? piece.held.length : loud) - this.#before;
      piece.held = piece.held.subarray(Math.max(0, kept));
      piece.skipped += Math.max(0, kept);
      piece.start = this.#position + this.#gap;
    }
    const loud = piece.held.findLastIndex(isLoud);
    if (loud >= 0) piece.loud = piece.given + loud + 1;
    // It cannot end earlier, whatever follows; the fade before its end is not final.
    return this.#giveOut(piece, this.#endOf(piece) - this.#fade);
  }

  /** Ends the piece. @returns its last samples, and where all of it lies. */
  end(): JoinedPiece {
    const piece = this.#requirePiece(true);
    this.#piece = undefined;
    const { skipped } = piece;
    if (piece.loud === 0) return { audio: new Float32Array(0), start: this.#position, end: this.#position, skipped };
    const end = this.#endOf(piece);
    return { audio: this.#giveOut(piece, end, end), start: piece.start, end: this.#position, skipped };
  }

  /** A silence that no gap swallows, for a pause that the text asks for. @param length ms. @returns it. */
  silence(length: number): Float32Array<ArrayBuffer> {
    this.#requirePiece(false);
    const silence = new Float32Array(this.#gap + this.#samples(readLength(length, "length")));
    this.#gap = 0;
    this.#position += silence.length;
    return silence;
  }

  /** Samples of the piece if it ended now. */
  #endOf({ held, given, loud }: Piece): number {
    return loud === 0 ? 0 : Math.min(given + held.length, loud + this.#after);
  }

  /** The piece's samples up to `until`, after the silence before it. @param end of the piece, once it is known. */
  #giveOut(piece: Piece, until: number, end = Infinity): Float32Array<ArrayBuffer> {
    const count = Math.max(0, until - piece.given);
    if (count === 0) return new Float32Array(0);
    const out = new Float32Array(this.#gap + count);
    for (let i = 0; i < count; i++) {
      const at = piece.given + i;
      out[this.#gap + i] = piece.held[i] * this.#gain(at) * this.#gain(end - 1 - at);
    }
    piece.held = piece.held.subarray(count);
    piece.given += count;
    this.#gap = 0;
    this.#position += out.length;
    return out;
  }

  /** Of the raised cosine, so many samples from the end of a piece. */
  #gain(distance: number): number {
    return distance >= this.#fade ? 1 : 0.5 - 0.5 * Math.cos((Math.PI * distance) / this.#fade);
  }

  #samples(milliseconds: number): number {
    return Math.round((milliseconds * this.#rate) / 1000);
  }

  #requirePiece(isWanted: false): undefined;
  #requirePiece(isWanted: true): Piece;
  #requirePiece(isWanted: boolean): Piece | undefined {
    if (isWanted === (this.#piece !== undefined)) return this.#piece;
    const [problem, fix] = isWanted ? ["no piece has begun", "begin() it"] : ["a piece has begun", "end() it"];
    throw new EngineError("usage", problem, { where: "Joiner", fix: `${fix} first` });
  }
}
