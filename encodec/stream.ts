import { EngineError } from "../engine/errors.ts";
import { contextFrames } from "./chunks.ts";
import type { EncodecConfig } from "./config.ts";

/**
 * What a decoder must remember of the frames so far to go on as if they had been decoded in one call. In host memory, about
 * 20 KB: it outlives the weights and even a lost device, and the state before a call that failed is still there.
 */
export interface DecoderState {
  /** [frames, codebooks], of the last {@link codeContext} frames; before the first audio, of all of them. */
  readonly codes: Int32Array;
  /** [2, layers, width] of the LSTM, then its last [{@link contextFrames}, width] outputs. Undefined before the first audio. */
  readonly memory: Float32Array<ArrayBuffer> | undefined;
}

export const freshState: DecoderState = { codes: new Int32Array(0), memory: undefined };

/** Frames before a frame that the first convolution sees. */
export function codeContext(config: EncodecConfig): number {
  return config.kernel_size - 1;
}

/**
 * Frames that the first audio of a stream needs. Paddings mirror the frames at the beginning, and where there are fewer than
 * they mirror, they mirror zeros instead. After that every frame gives its samples at once: nothing looks ahead.
 */
export function startFrames(config: EncodecConfig): number {
  return Math.max(config.kernel_size, contextFrames(config));
}

/** @throws EngineError `usage` naming the field by which a sample depends on later frames. */
export function checkStreamable(config: EncodecConfig): void {
  if (!config.use_causal_conv) refuse("use_causal_conv", true, false);
  if (config.trim_right_ratio !== 1) refuse("trim_right_ratio", 1, config.trim_right_ratio);
}

function refuse(field: string, expected: unknown, actual: unknown): never {
  throw new EngineError("usage", "this codec cannot decode as a stream: its samples depend on later frames", {
    where: `codec_config.${field}`,
    expected,
    actual,
    fix: "use decode, on whole codes",
  });
}
