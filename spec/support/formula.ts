/** FNV-1a, 32 bits, of ASCII text. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/**
 * Values of a tensor of a synthetic checkpoint, by its name of 2023 (bark-spec, appendix B; spec/fixtures/formula.py):
 * a hash of name and index in [-1, 1), scaled by the kind of tensor.
 */
export function formulaWeights(name: string, count: number): Float32Array<ArrayBuffer> {
  const [offset, scale] = offsetAndScale(name);
  const values = new Float32Array(count);
  let seed = fnv1a(name);
  for (let i = 0; i < count; i++) {
    let x = seed ^ (seed >>> 16);
    x = Math.imul(x, 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    values[i] = offset + scale * ((x >>> 8) / 2 ** 23 - 1);
    seed = (seed + 0x9e3779b1) | 0;
  }
  return values;
}

function offsetAndScale(name: string): [offset: number, scale: number] {
  if (name.includes("layernorm")) return name.endsWith("bias") ? [0, 0.25] : [1, 0.25];
  if (name.includes("embeds_layer") || name.includes("lm_head")) return [0, 0.5];
  if (name.endsWith("weight_g")) return [1, 0.5];
  if (name.endsWith("codebook.embed")) return [0, 1];
  if (name.includes(".lstm.")) return [0, 0.0625];
  return [0, 0.25];
}
