import { attentionReference } from "../attention/reference.ts";
import { layernormReference } from "../layernorm/reference.ts";
import { matmulReference } from "../matmul/reference.ts";

/** A matrix [columns, inner] as in checkpoints, or a norm's scale, and what is added. */
export interface ReferenceWeights {
  readonly weight: ArrayLike<number>;
  readonly bias?: ArrayLike<number>;
}

export type ReferenceBlock = Readonly<
  Record<"norm1" | "qkv" | "attentionOut" | "norm2" | "mlpIn" | "mlpOut", ReferenceWeights>
>;

/** Transformer blocks over a whole sequence, causal, in f64 (bark-spec 3.1). x: [tokens, width]; so is the result. */
export function decodeBlocksReference(
  x: ArrayLike<number>,
  blocks: readonly ReferenceBlock[],
  { tokens, heads, headDim }: { tokens: number; heads: number; headDim: number },
): ArrayLike<number> {
  const width = heads * headDim;
  const normed = (values: ArrayLike<number>, { weight, bias }: ReferenceWeights) =>
    layernormReference(values, weight, bias);
  for (const { norm1, qkv, attentionOut, norm2, mlpIn, mlpOut } of blocks) {
    const projected = matmulReference(normed(x, norm1), qkv.weight, tokens, width, 3 * width, { bias: qkv.bias });
    const part = (which: number) =>
      Float64Array.from({ length: tokens * width }, (_, i) => {
        const token = Math.floor(i / width);
        return projected[(token * 3 + which) * width + (i % width)];
      });
    const shape = { queries: tokens, keys: tokens, heads, headDim, past: 0, causal: true };
    const attended = attentionReference(part(0), part(1), part(2), shape);
    x = matmulReference(attended, attentionOut.weight, tokens, width, width, { bias: attentionOut.bias, residual: x });
    const hidden = matmulReference(normed(x, norm2), mlpIn.weight, tokens, width, 4 * width, {
      ...{ bias: mlpIn.bias, gelu: true },
    });
    x = matmulReference(hidden, mlpOut.weight, tokens, 4 * width, width, { bias: mlpOut.bias, residual: x });
  }
  return x;
}
