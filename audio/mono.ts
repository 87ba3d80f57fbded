import { argumentsOf, readNumber, readString } from "../engine/check/arguments.ts";
import { checkFinite, readArray } from "../engine/check/array_argument.ts";
import { EngineError } from "../engine/errors.ts";
import { RawAudio } from "./raw_audio.ts";
import type { WavAudio } from "./wav_reader.ts";

/** How far the converter can change a rate. */
const mostRatio = 256;

const readRate = readNumber("a number above 0", (rate) => rate > 0);
const readAudio = argumentsOf(
  "to_mono",
  { audio: readArray([2], checkFinite), sample_rate: readRate },
  { required: ["audio", "sample_rate"], usage: "give a RawAudio, or what decode_wav answers" },
);

/**
 * The mean of the channels, at another rate: the input of a codec with one channel.
 * @param where name of the audio, for errors. @returns ceil(samples * rate / sample_rate) samples.
 * @throws EngineError `bad-input` if the rates are more than 256 times apart, `usage`.
 */
export async function to_mono(wav: WavAudio | RawAudio, rate: number, where = "audio"): Promise<Float32Array> {
  const isRaw = wav instanceof RawAudio;
  const { audio, sample_rate } = isRaw ? { audio: wav.toArray(), sample_rate: wav.sampling_rate } : readAudio(wav);
  readRate(rate, "rate");
  readString(where, "where");
  const mono = meanOfRows(audio.data, audio.shape[0]);
  if (sample_rate === rate) return mono;
  if (Math.max(rate / sample_rate, sample_rate / rate) > mostRatio)
    throw new EngineError("bad-input", "has a sample rate that cannot be converted", {
      where,
      expected: `${Math.ceil(rate / mostRatio)} to ${rate * mostRatio} Hz`,
      actual: `${sample_rate} Hz`,
    });
  const { resample } = await import("./resample.ts");
  return await resample(mono, sample_rate, rate);
}

function meanOfRows(values: Float32Array<ArrayBuffer>, rows: number): Float32Array<ArrayBuffer> {
  if (rows === 1) return values;
  const length = values.length / rows;
  return Float32Array.from({ length }, (_, i) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += values[row * length + i];
    return sum / rows;
  });
}
