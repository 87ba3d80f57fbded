import type { EncodecConfig } from "./config.ts";

/** Frames [begin, end) of a result, computed from frames [first, last). */
export interface Chunk {
  readonly first: number;
  readonly begin: number;
  readonly end: number;
  readonly last: number;
}

/**
 * Largest receptive field, in frames to one side, of the convolutions before the encoder's LSTM or after the decoder's;
 * plus two frames, because a last stride that is not full mirrors the samples before it.
 */
export function contextFrames(config: EncodecConfig): number {
  let samples = Math.max(config.kernel_size, config.last_kernel_size) - 1;
  let step = 1; // Samples between two rows.
  for (const stride of config.upsampling_ratios.toReversed()) {
    for (let j = 0; j < config.num_residual_layers; j++)
      samples += (config.residual_kernel_size - 1) * config.dilation_growth_rate ** j * step;
    samples += stride * step; // Of a kernel of 2 strides the second is the frame itself.
    step *= stride;
  }
  return Math.ceil(samples / step) + 2;
}

/**
 * Cuts `frames` into chunks of `size` with up to `context` frames on either side. Padding then cannot reach the kept part
 * of any chunk, so the result is the same as without cutting.
 */
export function cutIntoChunks(frames: number, size: number, context: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let begin = 0; begin < frames; begin += size) {
    const end = Math.min(begin + size, frames);
    chunks.push({ first: Math.max(0, begin - context), begin, end, last: Math.min(end + context, frames) });
  }
  return chunks;
}
