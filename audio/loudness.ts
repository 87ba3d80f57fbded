import { checkFinite, readArray, type ArrayInput } from "../engine/check/array_argument.ts";
import { readNumber } from "../engine/check/arguments.ts";

/** Coefficients of a second-order filter: b of the input, a of the output, a0 = 1. */
interface Biquad {
  readonly b: readonly [number, number, number];
  readonly a: readonly [number, number];
}

/** Seconds of a block, and the share of it by which the next one is later (ITU-R BS.1770-4). */
const [blockSeconds, step] = [0.4, 0.25];
/** Blocks below these are no part of the programme: LUFS, and LU below the mean of the rest. */
const [absoluteGate, relativeGate] = [-70, -10];

const readRate = readNumber("samples a second, from 2000", (rate) => rate >= 2000);
const readLevel = readNumber("a level in dB, at most 0", (level) => level <= 0);
const readSamples = readArray([1], checkFinite);

/**
 * Integrated loudness of one channel in LUFS (ITU-R BS.1770-4, EBU R 128). @param samples [samples], full scale ±1.
 * @returns -Infinity for what is silent, or shorter than a block of 400 ms.
 */
export function integratedLoudness(samples: ArrayInput, sampling_rate: number): number {
  const rate = readRate(sampling_rate, "sampling_rate");
  const powers = blockPowers(weighted(readSamples(samples, "samples").data, rate), rate);
  const loud = powers.filter((power) => lufs(power) > absoluteGate);
  const gate = lufs(mean(loud)) + relativeGate;
  return lufs(mean(loud.filter((power) => lufs(power) > gate)));
}

/**
 * The highest level between the samples, in dB below full scale (BS.1770-4, annex 2): the maximum of the sound at four
 * times its rate. @returns -Infinity for silence.
 */
export function truePeak(samples: ArrayInput): number {
  return decibels(peaksOf(readSamples(samples, "samples").data).reduce((peak, each) => Math.max(peak, each), 0));
}

/** The greatest amplitude at and behind each sample, at four times their rate; what rings over the ends counts there. */
export function peaksOf(data: Float32Array): Float64Array {
  const peaks = new Float64Array(data.length);
  for (const taps of phases)
    for (let i = -half; i < data.length + half; i++) {
      let sum = 0;
      for (let k = Math.max(0, i - taps.length + 1 + half); k <= Math.min(data.length - 1, i + half); k++)
        sum += data[k] * taps[i + half - k];
      const at = Math.max(0, Math.min(data.length - 1, i));
      peaks[at] = Math.max(peaks[at], Math.abs(sum));
    }
  return peaks;
}

/**
 * The gain that brings a sound to a loudness, as a factor; less where its true peak would come above the ceiling.
 * @param target LUFS. @param ceiling dB below full scale. @returns 1 for silence.
 */
export function loudnessGain(samples: ArrayInput, sampling_rate: number, target: number, ceiling = -1): number {
  const [goal, most] = [readLevel(target, "target"), readLevel(ceiling, "ceiling")];
  const loudness = integratedLoudness(samples, sampling_rate);
  if (loudness === -Infinity) return 1;
  return 10 ** (Math.min(goal - loudness, most - truePeak(samples)) / 20);
}

/** The K-weighting: a shelf for the head, then a high-pass. */
function weighted(samples: Float32Array, rate: number): Float64Array {
  return filtered(filtered(samples, shelf(rate)), highPass(rate));
}

/** The filters of the recommendation, which lists them for 48 kHz, at any rate: the analogue ones by the bilinear transform. */
function shelf(rate: number): Biquad {
  const [frequency, gain, q] = [1681.974450955533, 3.999843853973347, 0.7071752369554196];
  const k = Math.tan((Math.PI * frequency) / rate);
  const high = 10 ** (gain / 20);
  const band = high ** 0.4996667741545416;
  const a0 = 1 + k / q + k * k;
  return {
    b: [(high + (band * k) / q + k * k) / a0, (2 * (k * k - high)) / a0, (high - (band * k) / q + k * k) / a0],
    a: [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0],
  };
}

function highPass(rate: number): Biquad {
  const [frequency, q] = [38.13547087602444, 0.5003270373238773];
  const k = Math.tan((Math.PI * frequency) / rate);
  const a0 = 1 + k / q + k * k;
  return { b: [1, -2, 1], a: [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0] };
}

function filtered(x: ArrayLike<number>, { b, a }: Biquad): Float64Array {
  const y = new Float64Array(x.length);
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    y[i] = b[0] * x[i] + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2;
    [x2, x1, y2, y1] = [x1, x[i], y1, y[i]];
  }
  return y;
}

/** Mean squares of the blocks that lie wholly in the sound. */
function blockPowers(samples: Float64Array, rate: number): number[] {
  const size = Math.round(blockSeconds * rate);
  const powers: number[] = [];
  for (let block = 0; ; block++) {
    const first = Math.round(block * step * blockSeconds * rate);
    if (first + size > samples.length) return powers;
    powers.push(mean(samples.subarray(first, first + size).map((sample) => sample * sample)));
  }
}

/** @returns 0 of nothing. */
function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return values.length === 0 ? 0 : sum / values.length;
}

function lufs(power: number): number {
  return -0.691 + 10 * Math.log10(power);
}

function decibels(amplitude: number): number {
  return 20 * Math.log10(amplitude);
}

/** Samples of the input to either side of a point that its interpolation sees. */
const half = 12;

/** The interpolation filter, by quarters of a sample: a sinc under a Hann window, of which each phase passes 0 Hz unchanged. */
const phases: readonly Float64Array[] = [0, 1, 2, 3].map((phase) => {
  const taps = Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
    const t = i - half - phase / 4;
    const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
    return Math.abs(t) >= half + 1 ? 0 : sinc * Math.cos((Math.PI * t) / (2 * (half + 1))) ** 2;
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
});
