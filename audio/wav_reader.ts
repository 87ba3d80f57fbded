import { reader } from "../engine/check/arguments.ts";
import { EngineError } from "../engine/errors.ts";
import { NdArray } from "../engine/ndarray.ts";
import { noticeOf, type OnNotice } from "../engine/notice.ts";

/** What a WAV file holds. */
export interface WavAudio {
  /** Samples a second. */
  readonly sample_rate: number;
  /** [channels, samples], full scale ±1. */
  readonly audio: NdArray<Float32Array<ArrayBuffer>>;
}

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bytesPerFrame: number;
  readonly bits: number;
}

/** Format tags of Microsoft's multimedia registry; an extensible format holds one of the others in its GUID. */
const [pcm, float, extensible] = [1, 3, 0xfffe];

/** Readers of one sample by tag and bits. 8 bits are unsigned, all other integers signed (soundfile scales so too). */
const readers: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  [`${pcm} 8`]: (view, at) => (view.getUint8(at) - 128) / 2 ** 7,
  [`${pcm} 16`]: (view, at) => view.getInt16(at, true) / 2 ** 15,
  [`${pcm} 24`]: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23,
  [`${pcm} 32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${float} 32`]: (view, at) => view.getFloat32(at, true),
  [`${float} 64`]: (view, at) => view.getFloat64(at, true),
};

/** A size that 32 bits do not hold is in the ds64 chunk of an RF64 file. */
const sizeElsewhere = 0xffffffff;

const readBytes = reader<Uint8Array>("a Uint8Array", (value) => value instanceof Uint8Array);

/**
 * Reads a RIFF/WAVE or RF64 file: PCM of 8, 16, 24 or 32 bits, float of 32 or 64, any number of channels. A file that was
 * cut, or written to a pipe before its size was known, is read as far as it goes.
 * @param where name of the file, for errors.
 * @param onNotice gets one line if the file holds another number of bytes than its header says. Default: console.warn.
 * @throws EngineError `bad-input` for other formats, no samples, or samples that are not finite.
 */
export function decode_wav(bytes: Uint8Array, where = "WAV file", onNotice?: OnNotice): WavAudio {
  readBytes(bytes, "bytes");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { format, data, size } = readChunks(view, where);
  const read = checkFormat(format, where);
  const { channels, bytesPerFrame, sampleRate } = format;
  const frames = Math.floor(data.byteLength / bytesPerFrame);
  if (frames === 0) throw invalid(where, "holds no samples");
  if (size !== frames * bytesPerFrame)
    noticeOf(onNotice)(
      `${where}: the header names ${size} bytes of samples; the ${frames * bytesPerFrame} bytes of whole samples in the file are read`,
    );
  const width = bytesPerFrame / channels;
  const samples = new Float32Array(channels * frames);
  for (let channel = 0; channel < channels; channel++)
    for (let frame = 0; frame < frames; frame++) {
      const value = read(data, frame * bytesPerFrame + channel * width);
      samples[channel * frames + frame] = value;
      // Also a float64 that f32 does not hold.
      if (!Number.isFinite(samples[channel * frames + frame]))
        throw invalid(where, "holds a sample that is not finite", undefined, `${value} at sample ${frame}`);
    }
  return { sample_rate: sampleRate, audio: new NdArray(samples, [channels, frames]) };
}

interface Chunks {
  readonly format: Format;
  /** The bytes of the samples that are there, and how many the file says there are. */
  readonly data: DataView;
  readonly size: number;
}

function readChunks(view: DataView, where: string): Chunks {
  const kind = view.byteLength < 12 ? "" : chunkId(view, 0);
  if (!["RIFF", "RF64", "BW64"].includes(kind) || chunkId(view, 8) !== "WAVE")
    throw invalid(
      where,
      "is not a WAV file",
      '"RIFF"',
      kind === "" ? `${view.byteLength} bytes` : JSON.stringify(kind),
    );
  let format: Format | undefined;
  let isEmpty = false;
  let wideSize: number | undefined;
  for (let at = 12; at + 8 <= view.byteLength; at = nextChunk(view, at)) {
    const id = chunkId(view, at);
    const size = view.getUint32(at + 4, true);
    const left = view.byteLength - at - 8;
    if (id === "data" && format !== undefined) {
      isEmpty = size === 0 && (left === 0 || areChunks(view, at + 8));
      if (isEmpty) continue;
      const told = size === sizeElsewhere ? (wideSize ?? size) : size;
      // A size of zero comes from a pipe: everything that follows is samples.
      const length = told === 0 ? left : Math.min(told, left);
      return { format, data: new DataView(view.buffer, view.byteOffset + at + 8, length), size: told };
    }
    if (size > left) throw invalid(where, "ends early", `${size} bytes after byte ${at + 8}`, `${left}`);
    const chunk = new DataView(view.buffer, view.byteOffset + at + 8, size);
    if (id === "fmt ") format = readFormat(chunk, where);
    else if (id === "ds64" && size >= 16) wideSize = Number(chunk.getBigUint64(8, true));
  }
  if (isEmpty) throw invalid(where, "holds no samples");
  throw invalid(where, format === undefined ? "has no fmt chunk before its samples" : "has no data chunk");
}

function chunkId(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}

/** Chunks begin on even bytes, which some writers forget. */
function nextChunk(view: DataView, at: number): number {
  const end = at + 8 + view.getUint32(at + 4, true);
  const isUnpadded = end + 4 <= view.byteLength && ["fmt ", "data"].includes(chunkId(view, end));
  return isUnpadded ? end : end + (end % 2);
}

/** Whether only whole chunks lie between `at` and the end. */
function areChunks(view: DataView, at: number): boolean {
  while (at + 8 <= view.byteLength && /^[ -~]{4}$/.test(chunkId(view, at))) at = nextChunk(view, at);
  return at >= view.byteLength && at <= view.byteLength + 1;
}

function readFormat(chunk: DataView, where: string): Format {
  const needed = chunk.byteLength >= 2 && chunk.getUint16(0, true) === extensible ? 40 : 16;
  if (chunk.byteLength < needed)
    throw invalid(where, "has too short a fmt chunk", `${needed} bytes`, `${chunk.byteLength}`);
  return {
    tag: chunk.getUint16(needed === 40 ? 24 : 0, true),
    channels: chunk.getUint16(2, true),
    sampleRate: chunk.getUint32(4, true),
    bytesPerFrame: chunk.getUint16(12, true),
    bits: chunk.getUint16(14, true),
  };
}

/** The reader of a format's samples. @throws EngineError `bad-input` for a format that is not known or contradicts itself. */
function checkFormat({ tag, channels, sampleRate, bytesPerFrame, bits }: Format, where: string) {
  const read = readers[`${tag} ${bits}`] as (typeof readers)[string] | undefined;
  if (read === undefined)
    throw invalid(
      where,
      "is coded in a way that cannot be read",
      "PCM of 8, 16, 24 or 32 bits or float of 32 or 64",
      `format ${tag} of ${bits} bits`,
    );
  if (channels < 1) throw invalid(where, "has no channels");
  if (sampleRate < 1) throw invalid(where, "has a sample rate of 0");
  if (bytesPerFrame !== (channels * bits) / 8)
    throw invalid(where, "contradicts itself", `${(channels * bits) / 8} bytes a frame`, `${bytesPerFrame}`);
  return read;
}

function invalid(where: string, message: string, expected?: string, actual?: string): EngineError {
  const found = { ...(expected === undefined ? {} : { expected }), ...(actual === undefined ? {} : { actual }) };
  return new EngineError("bad-input", message, { where, ...found, fix: "give a WAV file, 24 kHz mono at best" });
}
