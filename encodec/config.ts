import { JsonFields, type JsonObject } from "../engine/check/json_fields.ts";
import { PreTrainedConfig } from "../engine/check/pretrained_config.ts";

/** What the header of a WAV file can say. */
export const mostSampleRate = 2 ** 32 - 1;

/**
 * Configuration of an EnCodec model, with the fields and defaults of transformers' `EncodecConfig` (which are those of
 * facebook/encodec_24khz).
 */
export class EncodecConfig extends PreTrainedConfig {
  readonly model_type = "encodec";
  /** Bandwidths that the quantizer knows, kbit/s, ascending. */
  readonly target_bandwidths: readonly number[];
  /** Samples a second. */
  readonly sampling_rate: number;
  readonly audio_channels: number;
  readonly normalize: boolean;
  readonly chunk_length_s: number | null;
  readonly overlap: number | null;
  /** Width of the latent between encoder, quantizer and decoder. */
  readonly hidden_size: number;
  /** Width of the outermost convolution. */
  readonly num_filters: number;
  readonly num_residual_layers: number;
  /** Strides of the decoder, first to last; the encoder runs them backwards. */
  readonly upsampling_ratios: readonly number[];
  readonly norm_type: "weight_norm" | "time_group_norm";
  readonly kernel_size: number;
  readonly last_kernel_size: number;
  readonly residual_kernel_size: number;
  readonly dilation_growth_rate: number;
  readonly use_causal_conv: boolean;
  readonly pad_mode: "reflect" | "constant" | "replicate";
  /** Divides the width inside a residual block. */
  readonly compress: number;
  readonly num_lstm_layers: number;
  /** Share of a transposed convolution's surplus that is trimmed on the right (causal only). */
  readonly trim_right_ratio: number;
  readonly codebook_size: number;
  readonly codebook_dim: number;
  readonly use_conv_shortcut: boolean;

  /** @throws EngineError `bad-input` naming `where` and the field. */
  constructor(fields: JsonObject = {}, where?: string) {
    super(fields, where ?? "EncodecConfig");
    const json = new JsonFields(fields, where ?? "EncodecConfig");
    this.target_bandwidths = json.positiveList("target_bandwidths", [1.5, 3, 6, 12, 24]);
    this.sampling_rate = json.integer("sampling_rate", 24000, { min: 1, max: mostSampleRate });
    this.audio_channels = json.integer("audio_channels", 1, { min: 1 });
    this.normalize = json.boolean("normalize", false);
    this.chunk_length_s = json.numberOrNull("chunk_length_s", null);
    this.overlap = json.numberOrNull("overlap", null);
    this.hidden_size = json.integer("hidden_size", 128, { min: 1 });
    this.num_filters = json.integer("num_filters", 32, { min: 1 });
    this.num_residual_layers = json.integer("num_residual_layers", 1);
    this.upsampling_ratios = json.positiveList("upsampling_ratios", [8, 5, 4, 2], true);
    this.norm_type = json.string("norm_type", "weight_norm", ["weight_norm", "time_group_norm"]);
    this.kernel_size = json.integer("kernel_size", 7, { min: 1 });
    this.last_kernel_size = json.integer("last_kernel_size", 7, { min: 1 });
    this.residual_kernel_size = json.integer("residual_kernel_size", 3, { min: 1 });
    this.dilation_growth_rate = json.integer("dilation_growth_rate", 2, { min: 1 });
    this.use_causal_conv = json.boolean("use_causal_conv", true);
    this.pad_mode = json.string("pad_mode", "reflect", ["reflect", "constant", "replicate"]);
    this.compress = json.integer("compress", 2, { min: 1 });
    this.num_lstm_layers = json.integer("num_lstm_layers", 2);
    this.trim_right_ratio = json.numberOrNull("trim_right_ratio", 1) ?? 1;
    if (this.trim_right_ratio < 0 || this.trim_right_ratio > 1) json.fail("trim_right_ratio", "a number from 0 to 1");
    this.codebook_size = json.integer("codebook_size", 1024, { min: 2 });
    const codebookDim = json.raw("codebook_dim") ?? null;
    this.codebook_dim = codebookDim === null ? this.hidden_size : json.integer("codebook_dim", 0, { min: 1 });
    this.use_conv_shortcut = json.boolean("use_conv_shortcut", true);
    this.keepRest(fields, where);
  }

  /** From the parsed `config.json` of a codec or the `codec_config` in a Bark's. */
  static from_dict(fields: JsonObject, where = "config.json"): EncodecConfig {
    return new EncodecConfig(fields, where);
  }

  /** Samples a frame: the product of the upsampling ratios. */
  get hop_length(): number {
    return this.upsampling_ratios.reduce((product, ratio) => product * ratio, 1);
  }

  /** Frames a second, rounded up. */
  get frame_rate(): number {
    return Math.ceil(this.sampling_rate / this.hop_length);
  }

  /** Bits of one code. */
  get codebook_nbits(): number {
    let bits = 1;
    while (2 ** bits < this.codebook_size) bits++;
    return bits;
  }

  /** Codebooks that the largest bandwidth needs. */
  get num_quantizers(): number {
    const bandwidth = this.target_bandwidths[this.target_bandwidths.length - 1];
    return Math.floor((1000 * bandwidth) / (this.frame_rate * this.codebook_nbits));
  }

  /** Codebooks that the quantizer uses at a bandwidth in kbit/s. */
  codebooks_at(bandwidth: number): number {
    const wanted = Math.floor((1000 * bandwidth) / (this.frame_rate * this.codebook_nbits));
    return Math.min(Math.max(1, wanted), this.num_quantizers);
  }
}
