import {
  argumentsOf,
  noneOr,
  readFunction,
  readNumber,
  readSignal,
  wrongArgument,
  type ReadersOf,
  type Unsupported,
} from "../../../engine/check/arguments.ts";
import { checkFinite, checkIds, readArray } from "../../../engine/check/array_argument.ts";
import { EngineError } from "../../../engine/errors.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import type { BarkProgress } from "../output.ts";

export interface CallOptions {
  signal?: AbortSignal | null;
  on_progress?: ((progress: BarkProgress) => void) | null;
}

export interface EncodecEncodeOptions extends CallOptions {
  /** kbit/s, one of `config.target_bandwidths`. Default: the smallest. */
  bandwidth?: number | null;
}

const callReaders = { signal: readSignal, on_progress: readFunction<(progress: BarkProgress) => void>() };

// transformers' further arguments, which change nothing for a codec without scales.
const unsupported: Unsupported = {
  audio_scales: [[null]],
  last_frame_pad_length: [[0, null]],
  padding_mask: [[null]],
  return_dict: [[true, null]],
};

export const readEncodeOptions = argumentsOf(
  "encode",
  {
    ...callReaders,
    bandwidth: noneOr(readNumber("a number above 0", (value) => value > 0)),
  } satisfies ReadersOf<EncodecEncodeOptions>,
  { unsupported, usage: "give encode(input_values, { bandwidth, signal, on_progress })" },
);

export const readDecodeOptions = argumentsOf("decode", callReaders, {
  unsupported,
  usage: "give decode(audio_codes, { signal, on_progress })",
});

/** [batch, channels, samples], or without the leading axes. */
export const readAudio = readArray([1, 2, 3], (array, name) => checkFinite(checkFilled(array, name), name));
const readCodes = readArray([2, 3, 4], checkCodes);

/** Codes [1, batch, codebooks, frames], or without the leading axes, as [batch, codebooks, frames]. */
export function readAudioCodes(value: unknown): NdArray {
  const { data, shape } = readCodes(value, "audio_codes");
  const [chunks, ...axes] = [...[1, 1, 1, 1].slice(shape.length), ...shape];
  if (chunks === 1) return new NdArray(data, axes);
  throw new EngineError("usage", "codes do not fit the codec", {
    where: "audio_codes",
    expected: "[1, batch, codebooks, frames]",
    actual: `[${shape.join(", ")}]`,
  });
}

export const readPushOptions = argumentsOf(
  "push",
  { signal: readSignal },
  { usage: "give push(audio_codes, { signal })" },
);

/** [batch, codebooks, frames]. */
export const readFineCodes = readArray([3], checkCodes);

/** Frames of each row of codes [batch, codebooks, frames]; null is Python's None. */
export function readOutputLengths(value: unknown, { shape: [batch, , frames] }: NdArray): number[] | undefined {
  const name = "output_lengths";
  const lengths = noneOr(readArray([1], (array) => checkIds(array, name, frames + 1)))(value ?? null, name);
  if (lengths === undefined || lengths.size === batch) return lengths && Array.from(lengths.data);
  throw wrongArgument(name, `a length for each of ${batch} rows`, `${lengths.size} lengths`);
}

function checkCodes(array: NdArray, name: string): NdArray {
  return checkIds(checkFilled(array, name), name);
}

function checkFilled(array: NdArray, name: string): NdArray {
  if (array.size > 0) return array;
  throw wrongArgument(name, "at least one value", []);
}
