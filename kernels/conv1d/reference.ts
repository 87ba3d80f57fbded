import { eluReference } from "../elementwise/reference.ts";
import type { ConvShape, Padding } from "./conv1d.ts";

export interface Conv1dReferenceOptions {
  bias?: ArrayLike<number> | undefined;
  stride?: number;
  dilation?: number;
  padding?: Padding;
  /** What y held before; added to the result. */
  residual?: ArrayLike<number>;
  elu?: boolean;
}

/**
 * Convolution in f64. x: [length, inChannels]; weight: [outChannels, inChannels, kernelSize];
 * result: [frames, outChannels].
 */
export function conv1dReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  { outChannels, inChannels, kernelSize }: ConvShape,
  options: Conv1dReferenceOptions = {},
): Float64Array {
  const { stride = 1, dilation = 1, padding = { mode: "constant", left: 0, right: 0 } } = options;
  const padded = padReference(toRows(x, inChannels), padding);
  const frames = Math.floor((padded.length - (kernelSize - 1) * dilation - 1) / stride) + 1;
  const y = new Float64Array(frames * outChannels);
  for (let frame = 0; frame < frames; frame++)
    for (let out = 0; out < outChannels; out++) {
      let sum = options.bias?.[out] ?? 0;
      for (let i = 0; i < inChannels; i++)
        for (let tap = 0; tap < kernelSize; tap++)
          sum += padded[frame * stride + tap * dilation][i] * weight[(out * inChannels + i) * kernelSize + tap];
      y[frame * outChannels + out] = sum + (options.residual?.[frame * outChannels + out] ?? 0);
    }
  return options.elu ? eluReference(y) : y;
}

function toRows(x: ArrayLike<number>, width: number): number[][] {
  const values = Array.from(x);
  return Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));
}

/**
 * Pads rows. An input too short to reflect first gets rows of zeros at its end, and the result loses as many rows
 * (transformers, `EncodecConv1d._pad1d`).
 */
export function padReference(x: readonly number[][], { mode, left, right }: Padding): number[][] {
  const zeros = (count: number) => Array.from({ length: count }, () => x[0].map(() => 0));
  if (mode === "constant") return [...zeros(left), ...x, ...zeros(right)];
  if (mode === "replicate")
    return [...Array.from({ length: left }, () => x[0]), ...x, ...Array.from({ length: right }, () => x.at(-1)!)];
  const missing = Math.max(0, Math.max(left, right) + 1 - x.length);
  const longer = [...x, ...zeros(missing)];
  const before = longer.slice(1, left + 1).reverse();
  const after = longer.slice(longer.length - 1 - right, longer.length - 1).reverse();
  const padded = [...before, ...longer, ...after];
  return padded.slice(0, padded.length - missing);
}
