import { toPcm16, unknownSize, wavHeader } from "../wav.ts";
import { join, rowsOf, type AudioEncoderStream, type EncoderSettings } from "./stream.ts";
import { infoOf } from "./tags.ts";

/** Signed 16 bits, little-endian, interleaved by channel. */
export function openPcm({ channels }: Pick<EncoderSettings, "channels">): AudioEncoderStream {
  return {
    push: (samples) => Promise.resolve(pcm16(rowsOf(samples, channels))),
    finish: () => Promise.resolve(new Uint8Array(0)),
  };
}

/** The header comes with the first samples, or, where the file is not live, with all of them. */
export function openWav({
  sampling_rate: rate,
  channels,
  format,
  tags,
  live,
  samples: all,
}: EncoderSettings): AudioEncoderStream {
  const header = (bytes: number): Uint8Array<ArrayBuffer> =>
    wavHeader({ rate, channels, format, info: infoOf(tags) }, bytes);
  const [width, encode] = format === "pcm16" ? ([2, pcm16] as const) : ([4, float32] as const);
  const held: Uint8Array[] = [];
  let hasHeader = false;
  return {
    push: (samples) => {
      const bytes = encode(rowsOf(samples, channels));
      if (!live) {
        held.push(bytes);
        return Promise.resolve(new Uint8Array(0));
      }
      const first = hasHeader ? [] : [header(all === undefined ? unknownSize : all * channels * width)];
      hasHeader = true;
      return Promise.resolve(join([...first, bytes]));
    },
    finish: () => {
      const size = held.reduce((sum, { length }) => sum + length, 0);
      return Promise.resolve(live ? new Uint8Array(0) : join([header(size), ...held]));
    },
  };
}

/** [channels][samples] to interleaved bytes. */
export function pcm16(rows: readonly Float32Array[]): Uint8Array<ArrayBuffer> {
  return interleaved(rows, 2, (view, at, sample) => view.setInt16(at, toPcm16(sample), true));
}

function float32(rows: readonly Float32Array[]): Uint8Array<ArrayBuffer> {
  return interleaved(rows, 4, (view, at, sample) => view.setFloat32(at, sample, true));
}

function interleaved(
  rows: readonly Float32Array[],
  width: number,
  set: (view: DataView, at: number, sample: number) => void,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(rows.length * rows[0].length * width);
  const view = new DataView(bytes.buffer);
  for (const [channel, row] of rows.entries())
    for (let i = 0; i < row.length; i++) set(view, (i * rows.length + channel) * width, row[i]);
  return bytes;
}
