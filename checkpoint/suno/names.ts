/** Textual replacements from suno's names to those of transformers, in this order (bark-spec 2.4). */
const gptReplacements = [
  ["c_attn", "att_proj"],
  ["c_proj", "out_proj"],
  ["c_fc", "in_proj"],
  ["transformer.", ""],
  ["h.", "layers."],
  ["ln_1", "layernorm_1"],
  ["ln_2", "layernorm_2"],
  ["ln_f", "layernorm_final"],
  ["wpe", "position_embeds_layer"],
  ["wte", "input_embeds_layer"],
] as const;

/** Name in transformers of a tensor of suno's GPTs: `transformer.h.0.ln_1.weight` is `layers.0.layernorm_1.weight`. */
export function gptName(name: string): string {
  return gptReplacements.reduce((result, [from, to]) => result.replaceAll(from, to), name);
}

/** Name in transformers of a tensor of Meta's EnCodec: `decoder.model.3.convtr.convtr.bias` is `decoder.layers.3.conv.bias`. */
export function codecName(name: string): string {
  return name
    .replace(/^(encoder|decoder)\.model\./, "$1.layers.")
    .replace(/\.(conv\.conv|convtr\.convtr)\./, ".conv.")
    .replace(/\.(conv|convtr)\.norm\./, ".norm.")
    .replace(/^quantizer\.vq\.layers\.(\d+)\._codebook\./, "quantizer.layers.$1.codebook.");
}
