import type { BarkModel } from "../../bark/model.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import type { OnNotice } from "../../engine/notice.ts";
import { BookSpeaker } from "../../speech/book/speak_book.ts";
import type { SpeakSettings } from "../../speech/speak.ts";
import type { PieceRequest } from "./piece_worker.ts";

/** Speaks pieces by a model, as `bark book` does on one machine. */
export function speakBy(model: BarkModel, processor: BarkProcessor, notice: OnNotice) {
  return async ({ plan, piece, voice, store, files, signal }: PieceRequest): Promise<void> => {
    const { seed, retries, takes, kwargs } = plan.settings;
    const isNamed = piece.voice !== null && voice !== null;
    const settings: SpeakSettings = {
      ...{ kwargs: { ...kwargs, signal }, seed: BigInt(seed), retries, takes },
      ...{ voice: isNamed ? null : voice, voices: new Map(isNamed ? [[piece.voice, voice]] : []) },
      // Who joins the book decides whether a bad piece may be in it.
      ...{ batch: 1, carry: 0, strict: false },
    };
    const speaker = new BookSpeaker(model, processor, plan, settings, { store, files, notice });
    for await (const { stored } of speaker.speak([piece])) void stored;
  };
}
