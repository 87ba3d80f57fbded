import type { Padding, PaddingMode } from "../kernels/conv1d/conv1d.ts";

export interface PaddedConv {
  readonly kernelSize: number;
  readonly stride: number;
  readonly dilation: number;
}

/**
 * Padding of an EnCodec convolution over `length` frames, such that the last stride is full (transformers,
 * `EncodecConv1d`): all of the fixed part on the left if causal, else split with the larger half on the left.
 */
export function convPadding(conv: PaddedConv, length: number, mode: PaddingMode, causal: boolean): Padding {
  const span = (conv.kernelSize - 1) * conv.dilation + 1;
  const total = span - conv.stride;
  const strides = Math.ceil((length - span + total) / conv.stride);
  const extra = strides * conv.stride + span - total - length;
  const right = causal ? 0 : Math.floor(total / 2);
  return { mode, left: total - right, right: right + extra };
}
