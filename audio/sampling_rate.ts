import { EngineError } from "../engine/errors.ts";

/** @throws EngineError `usage` if sound that knows its rate, such as a RawAudio, is given for another. */
export function requireSamplingRate(sound: unknown, rate: number, where: string): void {
  const own = (sound as { sampling_rate?: number } | null | undefined)?.sampling_rate;
  if (own === undefined || own === rate) return;
  throw new EngineError("usage", "has another sampling rate", {
    where,
    expected: `${rate} Hz`,
    actual: `${own} Hz`,
    fix: "convert it first: to_mono(audio, rate)",
  });
}
