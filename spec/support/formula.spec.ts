import { expect } from "chai";
import { formulaWeights } from "./formula.ts";

describe("weights by formula", () => {
  it("are those of the golden test (bark-spec, appendix B)", () => {
    const ends = (name: string, count: number): number[] => {
      const values = formulaWeights(name, count);
      return [...values.subarray(0, 3), values[count - 1]];
    };
    expect(ends("semantic.input_embeds_layer.weight", 129600 * 32)).to.deep.equal([
      0.2968377470970154, 0.1574811339378357, -0.2495366930961609, 0.337541401386261,
    ]);
    expect(ends("semantic.layers.0.attn.att_proj.weight", 96 * 32)).to.deep.equal([
      0.0014739930629730225, -0.2431507110595703, 0.13488557934761047, -0.13351541757583618,
    ]);
    expect(ends("codec_model.decoder.layers.3.conv.weight_g", 512)).to.deep.equal([
      1.370802402496338, 1.3774232864379883, 0.8635379672050476, 0.7052273750305176,
    ]);
  });

  it("are those of formula.py for every kind of tensor", () => {
    const kinds: Record<string, number[]> = {
      "coarse_acoustics.layers.1.layernorm_2.weight": [1.0777645111083984, 0.9922486543655396, 1.193237066268921],
      "coarse_acoustics.layers.1.layernorm_2.bias": [-0.21312016248703003, -0.037995725870132446, -0.14267852902412415],
      "fine_acoustics.lm_heads.6.weight": [-0.4280813932418823, -0.44598281383514404, 0.2842007279396057],
      "codec_model.quantizer.layers.7.codebook.embed": [0.5817217826843262, -0.11710739135742188, 0.020751476287841797],
      "codec_model.decoder.layers.1.lstm.weight_ih_l0": [
        -0.02099696546792984, -0.044477857649326324, 0.015994668006896973,
      ],
      "codec_model.decoder.layers.0.conv.weight_v": [0.20315590500831604, -0.10787826776504517, 0.2248917818069458],
    };
    for (const [name, values] of Object.entries(kinds))
      expect(Array.from(formulaWeights(name, 3)), name).to.deep.equal(values);
  });
});
