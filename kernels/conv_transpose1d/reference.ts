import type { ConvShape } from "../conv1d/conv1d.ts";
import type { Trim } from "./conv_transpose1d.ts";

/**
 * Transposed convolution in f64: every input row adds its kernel to the output at `row * stride`.
 * x: [length, inChannels]; weight: [inChannels, outChannels, kernelSize]; result: [rows, outChannels].
 */
export function convTranspose1dReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  { outChannels, inChannels, kernelSize, stride }: ConvShape & { stride: number },
  bias: ArrayLike<number> | undefined,
  trim: Trim = { left: 0, right: 0 },
): Float64Array {
  const length = x.length / inChannels;
  const rows = (length - 1) * stride + kernelSize;
  const y = Float64Array.from({ length: rows * outChannels }, (_, i) => bias?.[i % outChannels] ?? 0);
  for (let row = 0; row < length; row++)
    for (let i = 0; i < inChannels; i++)
      for (let out = 0; out < outChannels; out++)
        for (let j = 0; j < kernelSize; j++)
          y[(row * stride + j) * outChannels + out] +=
            x[row * inChannels + i] * weight[(i * outChannels + out) * kernelSize + j];
  return y.slice(trim.left * outChannels, (rows - trim.right) * outChannels);
}
