export interface AttentionReferenceShape {
  queries: number;
  keys: number;
  heads: number;
  headDim: number;
  past?: number;
  causal: boolean;
  /** [keys], 0 = masked. */
  mask?: ArrayLike<number>;
}

/**
 * Scaled dot-product attention in f64. q, k, v: [queries or keys, heads * headDim]. Masks as PyTorch's additive ones: a key
 * masked once scores the lowest f32, one masked twice minus infinity, so that a row that sees nothing weighs the former
 * evenly.
 */
export function attentionReference(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  { queries, keys, heads, headDim, past = 0, causal, mask }: AttentionReferenceShape,
): Float64Array {
  const width = heads * headDim;
  const y = new Float64Array(queries * width);
  for (let query = 0; query < queries; query++)
    for (let head = 0; head < heads; head++) {
      const scores = Array.from({ length: keys }, (_, key) => {
        const times = (causal && key > past + query ? 1 : 0) + (mask !== undefined && mask[key] === 0 ? 1 : 0);
        if (times > 0) return times === 1 ? -3.4028234663852886e38 : -Infinity;
        let dot = 0;
        for (let d = 0; d < headDim; d++)
          dot += q[query * width + head * headDim + d] * k[key * width + head * headDim + d];
        return dot / Math.sqrt(headDim);
      });
      const maximum = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - maximum));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let d = 0; d < headDim; d++) {
        let sum = 0;
        for (let key = 0; key < keys; key++) sum += weights[key] * v[key * width + head * headDim + d];
        y[query * width + head * headDim + d] = sum / total;
      }
    }
  return y;
}
