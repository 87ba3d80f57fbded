import type { EncodecConfig } from "./config.ts";

/** Frames [begin, end) of a result, computed from frames [first, last). */
export interface Chunk {
  readonly first: number;
  readonly begin: number;
  readonly end: number;
  readonly last: number;
}

/**
 * Frames next to a frame that what the encoder makes of it before its LSTM, or the decoder after its own, depends on, at
 * most: what the convolutions see, and two frames because a last stride that is not full mirrors what lies before it.
 */
export function contextFrames(config: EncodecConfig): number {
  let samples = config.kernel_size - 1;
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
 * Cuts `frames` into chunks of `size` with as much context on either side as there is up to `context`. So no chunk but
 * the first begins where padding could reach what is kept, and the result is the same as without cutting.
 */
export function cutIntoChunks(frames: number, size: number, context: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let begin = 0; begin < frames; begin += size) {
    const end = Math.min(begin + size, frames);
    chunks.push({ first: Math.max(0, begin - context), begin, end, last: Math.min(end + context, frames) });
  }
  return chunks;
}
