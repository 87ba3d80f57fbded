import samplerate from "@alexanderolsen/libsamplerate-js";

/** Silence that flushes the longest filter, in samples of the lower rate. */
const tail = 4096;

/**
 * One channel at another rate, by libsamplerate's best sinc (145 dB; frequencies above half the new rate are filtered out).
 * Import this file only where it is needed: the library is 2 MB of code.
 * @returns ceil(samples * to / from) samples.
 */
export async function resample(samples: Float32Array, from: number, to: number): Promise<Float32Array> {
  const converterType = samplerate.ConverterType.SRC_SINC_BEST_QUALITY;
  const converter = await samplerate.create(1, from, to, { converterType });
  try {
    const padded = new Float32Array(samples.length + Math.ceil(tail * Math.max(1, from / to)));
    padded.set(samples);
    return converter.full(padded).slice(0, Math.ceil((samples.length * to) / from));
  } finally {
    converter.destroy();
  }
}
