import { readNumber } from "../engine/check/arguments.ts";
import { checkFinite, readArray, type ArrayInput } from "../engine/check/array_argument.ts";
import { integratedLoudness, peaksOf } from "./loudness.ts";

/** A piece departs so far, in dB, from what the pieces before it were amplified by: a whisper stays softer than a shout. */
const range = 6;
/** dB below full scale that the true peak stays under. */
const ceiling = -1;
/** Half the width of the limiter's dip, in ms. */
const dip = 5;

const readTarget = readNumber("a loudness in LUFS, from -70 to 0", (level) => level >= -70 && level <= 0);
const readSamples = readArray([1], checkFinite);

/**
 * Brings pieces of speech to one loudness as they come: each to the target by its own loudness (ITU-R BS.1770-4), at most 6 dB
 * from the mean gain of those before it, then through a limiter of true peaks at −1 dB. A piece too short to have a loudness
 * gets the mean gain.
 */
export class Leveller {
  readonly #rate: number;
  readonly #target: number;
  /** Sum of gains in dB times seconds, and of seconds. */
  #gains = 0;
  #seconds = 0;

  /** @param sampling_rate samples a second. @param target LUFS, such as -19 for speech in one channel. */
  constructor(sampling_rate: number, target: number) {
    this.#rate = sampling_rate;
    this.#target = readTarget(target, "loudness");
  }

  /** @param samples of a whole piece, one channel. [samples] */
  level(samples: ArrayInput): Float32Array<ArrayBuffer> {
    const { data } = readSamples(samples, "samples");
    const gain = 10 ** (this.#gainOf(data) / 20);
    return limited(
      Float32Array.from(data, (sample) => sample * gain),
      this.#rate,
    );
  }

  #gainOf(data: Float32Array): number {
    const mean = this.#seconds === 0 ? undefined : this.#gains / this.#seconds;
    const loudness = integratedLoudness(data, this.#rate);
    if (loudness === -Infinity) return mean ?? 0;
    const wanted = this.#target - loudness;
    const gain = mean === undefined ? wanted : Math.max(mean - range, Math.min(mean + range, wanted));
    this.#gains += (gain * data.length) / this.#rate;
    this.#seconds += data.length / this.#rate;
    return gain;
  }
}

/**
 * Samples whose true peak is at most the ceiling. The gain that each sample needs is held over the width of a dip and then
 * averaged over the same width, so that it falls before a peak, without a step, and is nowhere above what is needed.
 */
function limited(samples: Float32Array<ArrayBuffer>, rate: number): Float32Array<ArrayBuffer> {
  const most = 10 ** (ceiling / 20);
  const peaks = peaksOf(samples);
  if (peaks.every((peak) => peak <= most)) return samples;
  const width = Math.round((dip * rate) / 1000);
  const held = new Float64Array(samples.length).fill(1);
  for (const [i, peak] of peaks.entries()) {
    if (peak <= most) continue;
    const [from, to] = [Math.max(0, i - width), Math.min(samples.length, i + width + 1)];
    for (let k = from; k < to; k++) held[k] = Math.min(held[k], most / peak);
  }
  return samples.map((sample, i) => sample * meanAround(held, i, width));
}

/** Outside the samples the gain is that of their ends. */
function meanAround(gains: Float64Array, at: number, width: number): number {
  let sum = 0;
  for (let k = at - width; k <= at + width; k++) sum += gains[Math.max(0, Math.min(gains.length - 1, k))];
  return sum / (2 * width + 1);
}
