import type { EncodecDecoder } from "../../encodec/decoder.ts";
import { NdArray } from "../../engine/ndarray.ts";
import type { StageRun } from "./stage_run.ts";

/**
 * Codes to audio, row by row.
 * @param fine codes, [batch, codebooks, frames]. @param lengths frames of each row that are its own: each row is then
 * decoded alone and padded with zeros, else its padding is decoded with it, as in transformers.
 * @returns [batch, samples], or of a codec with several channels [batch, channels, samples].
 */
export async function decodeCodes(
  decoder: EncodecDecoder,
  fine: NdArray,
  lengths: readonly number[] | undefined,
  run: StageRun,
): Promise<NdArray<Float32Array>> {
  const [batch, , frames] = fine.shape;
  const { hop_length, audio_channels } = decoder.config;
  const samples = (lengths === undefined ? frames : Math.max(...lengths)) * hop_length * audio_channels;
  const audio = new Float32Array(batch * samples);
  for (let row = 0; row < batch; row++) {
    const count = lengths?.[row] ?? frames;
    if (count === 0) continue;
    const decoded = await decoder.decode(framesFirst(fine.row(row), count), count, {
      ...(run.signal ? { signal: run.signal } : {}),
      onProgress: (done, total) => run.report(Math.round((row + done / total) * frames), batch * frames),
    });
    audio.set(decoded.data, row * samples);
  }
  return new NdArray(
    audio,
    audio_channels === 1 ? [batch, samples] : [batch, audio_channels, samples / audio_channels],
  );
}

/** The first `count` frames of codes [codebooks, frames] as [count, codebooks]. */
export function framesFirst(codes: NdArray, count: number): Int32Array<ArrayBuffer> {
  const [books, frames] = codes.shape;
  return Int32Array.from({ length: count * books }, (_, i) => codes.data[(i % books) * frames + Math.floor(i / books)]);
}
