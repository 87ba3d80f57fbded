import { EngineError } from "../../engine/errors.ts";
import type { OnNotice } from "../../engine/notice.ts";

/** One step of 16 bits; nothing is heard below it. */
const quietest = 2 ** -15;
/** Share of samples. Speech touches full scale here and there; noise of broken weights stays there. */
const mostClipped = 0.2;

/**
 * Reports audio that cannot be speech: silence, a constant, full scale. A player would play it without a word.
 * @throws EngineError `bad-input` if a sample is not finite.
 */
export function checkAudio(samples: Float32Array, notice: OnNotice): void {
  requireFinite(samples);
  let [least, most, clipped] = [Infinity, -Infinity, 0];
  for (const sample of samples) {
    least = Math.min(least, sample);
    most = Math.max(most, sample);
    if (Math.abs(sample) >= 1) clipped++;
  }
  const problem =
    Math.max(Math.abs(least), Math.abs(most)) < quietest
      ? "silent"
      : most - least < quietest
        ? "constant"
        : clipped > mostClipped * samples.length
          ? "beyond full scale nearly throughout"
          : undefined;
  if (problem !== undefined)
    notice(`the audio is ${problem}: check the checkpoint, or try another text, voice or seed`);
}

/** @throws EngineError `bad-input` if a sample is not finite. */
export function requireFinite(samples: Float32Array): void {
  if (!samples.every(Number.isFinite)) throw notFinite();
}

/** Of a run whose audio is not finite. */
export function notFinite(): EngineError {
  return new EngineError("bad-input", "the audio is not finite: the weights of the checkpoint are damaged", {
    where: "codec",
    fix: "download or convert the checkpoint again",
  });
}
