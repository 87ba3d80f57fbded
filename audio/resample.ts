import { EngineError } from "../engine/errors.ts";

const importLibrary = async () => await import("@alexanderolsen/libsamplerate-js");
type Library = Awaited<ReturnType<typeof importLibrary>>["default"];

/** Silence that flushes the longest filter, in samples of the lower rate. */
const tail = 4096;

/**
 * One channel at another rate, by libsamplerate's best sinc (145 dB; frequencies above half the new rate are filtered out).
 * @returns ceil(samples * to / from) samples. @throws EngineError `io` if the library is not installed.
 */
export async function resample(samples: Float32Array, from: number, to: number): Promise<Float32Array> {
  const samplerate = await loadLibrary();
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

// Loaded when it is needed: 2 MB of code, in a package that is optional.
async function loadLibrary(): Promise<Library> {
  try {
    const loaded = await importLibrary();
    // tsx gives what a CommonJS module exports without the `default` around it.
    return loaded.default ?? loaded;
  } catch (cause) {
    throw new EngineError("io", "audio of another sample rate needs an npm package that cannot be loaded", {
      where: "@alexanderolsen/libsamplerate-js",
      fix: "run: npm install @alexanderolsen/libsamplerate-js",
      cause,
    });
  }
}
