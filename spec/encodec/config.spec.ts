import { expect } from "chai";
import { EncodecConfig } from "../../encodec/config.ts";

describe("EncodecConfig", () => {
  it("is facebook/encodec_24khz by default", () => {
    const config = new EncodecConfig();
    expect(config.to_diff_dict()).to.deep.equal({
      model_type: "encodec",
      target_bandwidths: [1.5, 3, 6, 12, 24],
      sampling_rate: 24000,
      audio_channels: 1,
      normalize: false,
      chunk_length_s: null,
      overlap: null,
      hidden_size: 128,
      num_filters: 32,
      num_residual_layers: 1,
      upsampling_ratios: [8, 5, 4, 2],
      norm_type: "weight_norm",
      kernel_size: 7,
      last_kernel_size: 7,
      residual_kernel_size: 3,
      dilation_growth_rate: 2,
      use_causal_conv: true,
      pad_mode: "reflect",
      compress: 2,
      num_lstm_layers: 2,
      trim_right_ratio: 1,
      codebook_size: 1024,
      codebook_dim: 128,
      use_conv_shortcut: true,
    });
    expect(config).to.include({ hop_length: 320, frame_rate: 75, codebook_nbits: 10, num_quantizers: 32 });
  });

  it("derives rates and codebooks from other numbers", () => {
    const config = EncodecConfig.from_dict({
      sampling_rate: 16000,
      upsampling_ratios: [3, 7],
      codebook_size: 300,
      target_bandwidths: [20],
      hidden_size: 12,
      codebook_dim: null,
    });
    // ceil(16000 / 21) = 762; 300 codes need 9 bits; floor(20000 / (762 * 9)) = 2.
    expect(config).to.include({ hop_length: 21, frame_rate: 762, codebook_nbits: 9, num_quantizers: 2 });
    expect(config.codebook_dim).to.equal(12);
  });

  it("names a wrong field", () => {
    expect(() => EncodecConfig.from_dict({ codebook_dim: 0 })).to.throw('wrong value of "codebook_dim"');
    expect(() => EncodecConfig.from_dict({ target_bandwidths: [] })).to.throw('wrong value of "target_bandwidths"');
    for (const trim_right_ratio of [-1e9, -0.1, 1.1, NaN])
      expect(() => EncodecConfig.from_dict({ trim_right_ratio })).to.throw('wrong value of "trim_right_ratio"');
    for (const sampling_rate of [0, 2 ** 32])
      expect(() => EncodecConfig.from_dict({ sampling_rate })).to.throw('wrong value of "sampling_rate"');
    expect(() => EncodecConfig.from_dict({ pad_mode: "circular" })).to.throw('wrong value of "pad_mode"');
  });
});
