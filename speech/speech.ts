import type { Cue } from "../audio/captions.ts";
import { concatSamples } from "../audio/concat.ts";
import { RawAudio } from "../audio/raw_audio.ts";
import type { ArrayInput } from "../engine/check/array_argument.ts";
import { NdArray } from "../engine/ndarray.ts";
import type { Flag } from "./guard.ts";
import type { Change } from "./normalize/rewrite.ts";

/** A piece of a text, and where it is heard. */
export interface SpeechPiece extends Cue {
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

/** A piece as a stream gives it out. */
export interface StreamedPiece extends SpeechPiece {
  /** The silence before the piece, and the piece. [samples], of more than one channel [channels * samples] */
  readonly audio: Float32Array<ArrayBuffer>;
  readonly sampling_rate: number;
  readonly piece: number;
  readonly pieces: number;
}

/** All pieces of a stream as one sound. */
export function speechOf(pieces: readonly StreamedPiece[], channels: number): Speech {
  const samples = concatSamples(pieces.map(({ audio }) => audio));
  const captions = pieces.map(({ text, source, start, end, voice, flags, attempts, seed, changes }) => {
    return { text, source, start, end, voice, flags, attempts, seed, ...(changes && { changes }) };
  });
  return new Speech(new NdArray(samples, [channels, samples.length / channels]), pieces[0].sampling_rate, captions);
}
