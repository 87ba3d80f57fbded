import { Joiner } from "../../audio/join.ts";
import { concatSamples } from "../../audio/concat.ts";
import type { PieceFiles } from "./pieces.ts";
import type { BookPlan } from "./plan.ts";

/** Pieces [from, to) of a plan as one sound. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A piece in a sound: the silence before it and the piece, and where the piece is heard, in samples. */
export interface PlacedPiece {
  readonly piece: number;
  readonly audio: Float32Array<ArrayBuffer>;
  readonly start: number;
  readonly end: number;
}

/** Joins stored pieces, reading one at a time: a book of ten hours has gigabytes of samples. */
export async function* joinedPieces(
  plan: BookPlan,
  { from, to }: Stretch,
  files: PieceFiles,
  rate: number,
): AsyncGenerator<PlacedPiece, void, undefined> {
  const joiner = new Joiner(rate);
  for (let piece = from; piece < to; piece++) {
    const { gap, cue } = plan.pieces[piece];
    // A caption is heard at its time, or at once where the one before it takes longer.
    const due = cue === undefined ? undefined : Math.max(0, cue[0] * 1000 - (joiner.position * 1000) / rate);
    const joined = joiner.add(await files.audio(plan.pieces[piece]), due ?? (piece === from ? 0 : gap));
    const isEnd = piece + 1 === plan.pieces.length && plan.end > 0;
    const audio = isEnd ? concatSamples([joined.audio, joiner.silence(plan.end)]) : joined.audio;
    yield { piece, audio, start: joined.start, end: joined.end };
  }
}
