import { checkStreamable } from "../../../encodec/stream.ts";
import { readInteger, readOneOf, type ReadersOf } from "../../../engine/check/arguments.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { EncodecConfig } from "../../config/encodec_config.ts";
import { readGenerateArguments, type BarkGenerateKwargs, type GenerateArguments } from "./generate_arguments.ts";
import type { SemanticOptions } from "./generate_options.ts";

/** When sound is given out. */
export interface LatencyOptions {
  /**
   * `exact` (default): codes are given out once no later code can change them, and are those of `generate`. `low`: once
   * `lookahead` frames follow them, as the fine model predicts them then.
   */
  readonly latency?: "exact" | "low";
  /** Frames of the codec (75 are a second) that a frame waits for in `low`. Default 30. */
  readonly lookahead?: number;
}

/** Keywords of `BarkModel.generate_stream`. */
export interface BarkStreamKwargs extends Omit<BarkGenerateKwargs, "return_output_lengths">, LatencyOptions {}

export const latencyReaders = {
  latency: readOneOf("exact", "low"),
  lookahead: readInteger(0),
} satisfies ReadersOf<LatencyOptions>;

/** @throws EngineError `usage` for a lookahead of `exact`, which it would not follow. */
export function latencyOf({ latency = "exact", lookahead }: LatencyOptions): Required<LatencyOptions> {
  if (latency === "exact" && lookahead !== undefined)
    throw new EngineError("usage", 'is for latency "low": exact frames wait for all that can change them', {
      where: "lookahead",
      fix: 'give latency: "low", or leave it out',
    });
  return { latency, lookahead: lookahead ?? 30 };
}

/** Arguments of a stream by name. @throws EngineError `usage`, `bad-input` for a voice. */
export function readStreamArguments(
  { latency, lookahead, ...rest }: BarkStreamKwargs,
  codec: EncodecConfig,
): GenerateArguments & { latency: Required<LatencyOptions> } {
  const asked = {
    ...(latency === undefined ? {} : { latency: latencyReaders.latency(latency, "latency") }),
    ...(lookahead === undefined ? {} : { lookahead: latencyReaders.lookahead(lookahead, "lookahead") }),
  };
  const args = { ...readGenerateArguments(rest), latency: latencyOf(asked) };
  refuseLengths(args);
  checkStreamable(codec);
  if (codec.audio_channels === 1) return args;
  throw new EngineError("usage", "sound of more than one channel is not streamed", {
    where: "codec_config.audio_channels",
    expected: 1,
    actual: codec.audio_channels,
    fix: "use generate",
  });
}

function refuseLengths({ return_output_lengths }: GenerateArguments): void {
  if (return_output_lengths !== true) return;
  throw new EngineError("usage", "a stream has one text, and no padding", {
    where: "return_output_lengths",
    fix: "leave it out",
  });
}

/** @throws EngineError `usage` for more rows than one. */
export function requireOneText(ids: readonly unknown[], { num_return_sequences }: SemanticOptions): void {
  const rows = ids.length * num_return_sequences;
  if (rows === 1) return;
  throw new EngineError("usage", "a stream speaks one text", {
    where: ids.length > 1 ? "input_ids" : "num_return_sequences",
    expected: 1,
    actual: rows,
    fix: "use generate for several",
  });
}
