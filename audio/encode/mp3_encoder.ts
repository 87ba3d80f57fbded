import { createMp3Encoder } from "wasm-media-encoders";
import { join, rowsOf, type AudioEncoderStream, type EncoderSettings } from "./stream.ts";
import { id3Of } from "./tags.ts";

type Parameters = Mp3["configure"] extends (given: infer P) => unknown ? P : never;
type Mp3 = Awaited<ReturnType<typeof createMp3Encoder>>;

/** MP3 of a constant bit rate by LAME, behind an ID3 tag. Players compute its length from its size. */
export async function openMp3({
  sampling_rate,
  channels,
  bitrate,
  tags,
}: EncoderSettings): Promise<AudioEncoderStream> {
  const encoder = await createMp3Encoder();
  encoder.configure({ sampleRate: sampling_rate, channels, bitrate } as Parameters);
  let before = id3Of(tags);
  // What the encoder gives lies in its own memory, which the next call overwrites.
  const taken = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
    const all = join([before, bytes]);
    before = new Uint8Array(0);
    return all;
  };
  return {
    push: (samples) => Promise.resolve(taken(encoder.encode(rowsOf(samples, channels)))),
    finish: () => Promise.resolve(taken(encoder.finalize())),
  };
}
