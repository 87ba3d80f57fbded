/**
 * What a case computes, its operands as PyTorch lays them out: for engines that have kernels of their own. All f32; the result
 * is laid out as ours: [rows, columns], of a convolution [length, channels].
 */
export type Operation = MatmulOperation | LayernormOperation | EmbeddingOperation | AttentionOperation | ConvOperation;

type Values = Float32Array<ArrayBuffer>;

/** `x · weightᵀ`, behind a layer norm where there is one, then exact GELU, or added to a residual of zeros. */
export interface MatmulOperation {
  readonly kind: "matmul";
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** [rows, inner] */
  readonly x: Values;
  /** [columns, inner] */
  readonly weight: Values;
  readonly normWeight?: Values;
  readonly gelu: boolean;
  readonly residual: boolean;
}

export interface LayernormOperation {
  readonly kind: "layernorm";
  readonly rows: number;
  readonly width: number;
  readonly x: Values;
  readonly weight: Values;
}

/** Of each row the sum of an entry of every table, and of its position's. */
export interface EmbeddingOperation {
  readonly kind: "embedding";
  readonly rows: number;
  readonly width: number;
  readonly vocabulary: number;
  /** Each [vocabulary, width], with the ids of the rows. */
  readonly tables: readonly { readonly table: Values; readonly ids: Int32Array<ArrayBuffer> }[];
  /** [places, width]; row r has position r. */
  readonly places: number;
  readonly positions: Values;
}

/** Of `rows` queries over `past` keys and values that are given, and their own. */
export interface AttentionOperation {
  readonly kind: "attention";
  readonly rows: number;
  readonly past: number;
  readonly heads: number;
  readonly headDim: number;
  readonly causal: boolean;
  /** q, k and v. [rows, 3 heads headDim] */
  readonly qkv: Values;
  /** [past, heads headDim] */
  readonly pastK: Values;
  readonly pastV: Values;
}

/** Then ELU. A plain one has reflect padding on the left; a transposed one is trimmed by its stride on the right. */
export interface ConvOperation {
  readonly kind: "conv1d" | "conv_transpose1d";
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  /** 1 unless transposed. */
  readonly stride: number;
  /** Frames of x. */
  readonly length: number;
  /** [length, in] */
  readonly x: Values;
  /** [out, in, kernelSize], transposed [in, out, kernelSize] */
  readonly weight: Values;
  readonly bias: Values;
}
