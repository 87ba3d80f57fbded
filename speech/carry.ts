import type { HistoryPrompt } from "../bark/voice/history_prompt.ts";
import { NdArray } from "../engine/ndarray.ts";
import type { PlannedPiece } from "./plan.ts";

/**
 * What was said last, behind the voice: the prosody goes on from piece to piece. It begins anew with every paragraph, since a
 * voice that only hears itself decays (audio-webui 7, 169); and what came out badly is not carried, or it would spread.
 */
export class Carry {
  readonly #most: number;
  #said: HistoryPrompt[] = [];

  /** @param most pieces that are carried. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The voice of a piece, with what was said before it. The stages cut what is too long at its beginning. */
  behind(voice: HistoryPrompt | null, piece: PlannedPiece): HistoryPrompt | null {
    if (piece.begins) this.#said = [];
    return voice === null || this.#said.length === 0 ? voice : concatVoices([voice, ...this.#said]);
  }

  add(run: HistoryPrompt): void {
    this.#said = [...this.#said, run].slice(-this.#most);
  }
}

/** Voices as if all of it were said at once. */
export function concatVoices(voices: readonly HistoryPrompt[]): HistoryPrompt {
  const prompts = (key: keyof HistoryPrompt): NdArray[] => voices.map((voice) => voice[key]);
  return {
    semantic_prompt: concatColumns(prompts("semantic_prompt")),
    coarse_prompt: concatColumns(prompts("coarse_prompt")),
    fine_prompt: concatColumns(prompts("fine_prompt")),
  };
}

/** Along the last axis. @param arrays ids: [n] each, or [rows, n]. */
function concatColumns(arrays: readonly NdArray[]): NdArray {
  const leading = arrays[0].shape.slice(0, -1);
  const rows = leading[0] ?? 1;
  const widths = arrays.map(({ shape }) => shape.at(-1)!);
  const width = widths.reduce((sum, each) => sum + each, 0);
  const data = new Int32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let at = row * width;
    for (const [i, array] of arrays.entries()) {
      data.set(array.data.subarray(row * widths[i], (row + 1) * widths[i]), at);
      at += widths[i];
    }
  }
  return new NdArray(data, [...leading, width]);
}
