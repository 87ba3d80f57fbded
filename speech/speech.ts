import type { Cue } from "../audio/captions.ts";
import { concatSamples } from "../audio/concat.ts";
import { RawAudio } from "../audio/raw_audio.ts";
import type { ArrayInput } from "../engine/check/array_argument.ts";
import { NdArray } from "../engine/ndarray.ts";
import type { Flag } from "./guard.ts";
import type { Change } from "./normalize/rewrite.ts";

/** A word, and where it is heard: in seconds from the beginning of the sound. */
export interface SpokenWord extends Omit<Cue, "words"> {
  /** With `source`, as of pieces; a word that is spoken otherwise than written has the whole change. */
  readonly source: readonly [from: number, to: number];
}

/** Words, and how exact their times are. */
export interface TimedWords {
  readonly words: readonly SpokenWord[];
  readonly words_are: "estimated";
}

/** A piece of a text, and where it is heard. */
export interface SpeechPiece extends Omit<Cue, "words">, Partial<TimedWords> {
  readonly source: readonly [from: number, to: number];
  /** A preset's name, where the text names one. */
  readonly voice: string | null;
  /** What is wrong with it; mostly nothing. */
  readonly flags: readonly Flag[];
  /** Takes that were needed. */
  readonly attempts: number;
  readonly seed: bigint;
  /** Where it is spoken otherwise than the source has it written, if anywhere. */
  readonly changes?: readonly Change[];
}

/** The sound of a text, and what is said when. */
export class Speech extends RawAudio {
  /** In the order of the text; times are exact, in seconds. */
  readonly captions: readonly SpeechPiece[];

  constructor(audio: ArrayInput, sampling_rate: number, captions: readonly SpeechPiece[]) {
    super(audio, sampling_rate);
    this.captions = captions;
  }
}

/** A piece, or a part of one, as it is given out. */
export interface SpokenPart extends SpeechPiece {
  /** The silence before the piece, and the part of it. [samples], of more than one channel [channels * samples] */
  readonly audio: Float32Array<ArrayBuffer>;
  readonly sampling_rate: number;
  readonly piece: number;
  /** How many are known: of a text that is still being written, those that have begun. */
  readonly pieces: number;
  /** Whether it ends the piece. What is wrong with the piece is known then. */
  readonly is_last: boolean;
}

/** A part as a stream gives it out; `start` and `end` are its own. */
export interface StreamedPiece extends SpokenPart {
  /** Time of work for the time of sound so far. Above 1 a player that does not wait runs dry. */
  readonly real_time_factor: number;
  /** With the last part of the first piece, if `save_voice` asks for it: its tokens, as a file that `voice` takes. */
  readonly voice_npz?: Uint8Array<ArrayBuffer>;
}

/** All parts of a stream as one sound. */
export function speechOf(parts: readonly SpokenPart[], channels: number): Speech {
  const samples = concatSamples(parts.map(({ audio }) => audio));
  const audio = new NdArray(samples, [channels, samples.length / channels]);
  return new Speech(audio, parts[0].sampling_rate, captionsOf(parts));
}

/** What the parts of a stream say when. */
export function captionsOf(parts: readonly SpokenPart[]): SpeechPiece[] {
  return parts
    .filter(({ is_last }) => is_last)
    .map(({ piece, text, source, end, voice, flags, attempts, seed, changes, words, words_are, start: own }) => {
      const start = parts.find((part) => part.piece === piece && part.text === text)?.start ?? own;
      const said = { text, source, start, end, voice, flags, attempts, seed, ...(changes && { changes }) };
      return { ...said, ...(words && words_are && { words, words_are }) };
    });
}

/** The same parts with the time that they take: that of their listener, and of waiting for text, does not count. */
export async function* timed<T extends SpokenPart>(
  parts: AsyncIterable<T>,
  waited: () => number = () => 0,
): AsyncGenerator<T & StreamedPiece, void, undefined> {
  let [worked, sound, began] = [0, 0, performance.now() - waited()];
  for await (const part of parts) {
    worked += performance.now() - waited() - began;
    sound += part.audio.length / part.sampling_rate;
    yield { ...part, real_time_factor: worked / 1000 / sound };
    began = performance.now() - waited();
  }
}
