import { EngineError } from "../engine/errors.ts";
import type { EncodecConfig } from "./config.ts";

/** Largest dilation of a kernel; the 24 kHz codec has 1. */
const mostDilation = 2 ** 16;

/** @throws EngineError `bad-input` naming a field whose value neither half of the codec can follow. */
export function checkConfig(config: EncodecConfig): void {
  if (config.norm_type !== "weight_norm") refuse("norm_type", "weight_norm", config.norm_type);
  if (config.num_lstm_layers < 1) refuse("num_lstm_layers", "at least 1", config.num_lstm_layers);
  if (config.codebook_dim !== config.hidden_size)
    refuse("codebook_dim", `hidden_size (${config.hidden_size})`, config.codebook_dim);
  if (!config.use_causal_conv && config.trim_right_ratio !== 1)
    refuse("trim_right_ratio", "1 without use_causal_conv", config.trim_right_ratio);
  const dilation = config.dilation_growth_rate ** Math.max(0, config.num_residual_layers - 1);
  if (!(dilation <= mostDilation))
    refuse("dilation_growth_rate", `a dilation of at most ${mostDilation} in the last residual layer`, dilation);
}

/** The same for encoding, where the 48 kHz codec differs: it scales its input and cuts it into overlapping chunks. */
export function checkEncoderConfig(config: EncodecConfig): void {
  checkConfig(config);
  if (config.normalize) refuse("normalize", "false", true);
  if (config.chunk_length_s !== null) refuse("chunk_length_s", "null", config.chunk_length_s);
  if (config.num_quantizers < 1)
    refuse("target_bandwidths", "enough for one codebook", config.target_bandwidths.join(", "));
}

function refuse(field: string, expected: string, actual: unknown): never {
  throw new EngineError("bad-input", "this codec is not supported", {
    where: `codec_config.${field}`,
    expected,
    actual,
    fix: "use a checkpoint with the 24 kHz codec",
  });
}
