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
 * softmax(q k' / sqrt(headDim)) in f64, [heads, queries, keys]. q, k: [queries or keys, heads * headDim]. Masks as PyTorch's
 * additive ones: a key masked once scores the lowest f32, one masked twice minus infinity, so that a row that sees no key
 * weighs those masked once evenly.
 */
export function attentionWeightsReference(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  { queries, keys, heads, headDim, past = 0, causal, mask }: AttentionReferenceShape,
): Float64Array {
  const width = heads * headDim;
  const y = new Float64Array(heads * queries * keys);
  for (let head = 0; head < heads; head++)
    for (let query = 0; query < queries; query++) {
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
      for (let key = 0; key < keys; key++) y[(head * queries + query) * keys + key] = weights[key] / total;
    }
  return y;
}

/** Scaled dot-product attention in f64: the values v, [keys, heads * headDim], summed by {@link attentionWeightsReference}. */
export function attentionReference(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  shape: AttentionReferenceShape,
): Float64Array {
  const { queries, keys, heads, headDim } = shape;
  const weights = attentionWeightsReference(q, k, shape);
  const width = heads * headDim;
  const y = new Float64Array(queries * width);
  for (let query = 0; query < queries; query++)
    for (let column = 0; column < width; column++) {
      const row = (Math.floor(column / headDim) * queries + query) * keys;
      let sum = 0;
      for (let key = 0; key < keys; key++) sum += weights[row + key] * v[key * width + column];
      y[query * width + column] = sum;
    }
  return y;
}
