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
> & {
  /** Keys and values of the tokens before x, [past, width] each. */
  readonly past?: { readonly k: ArrayLike<number>; readonly v: ArrayLike<number> };
};

/** Transformer blocks over the tokens behind a past, causal, in f64 (bark-spec 3.1). x: [tokens, width]; so is the result. */
export function decodeBlocksReference(
  x: ArrayLike<number>,
  blocks: Iterable<ReferenceBlock>,
  { tokens, heads, headDim }: { tokens: number; heads: number; headDim: number },
): ArrayLike<number> {
  const width = heads * headDim;
  const normed = (values: ArrayLike<number>, { weight, bias }: ReferenceWeights) =>
    layernormReference(values, weight, bias);
  for (const { norm1, qkv, attentionOut, norm2, mlpIn, mlpOut, past } of blocks) {
    const projected = matmulReference(normed(x, norm1), qkv.weight, tokens, width, 3 * width, { bias: qkv.bias });
    const part = (which: number, before: ArrayLike<number> = []) => {
      const result = new Float64Array(before.length + tokens * width);
      result.set(before);
      for (let i = 0; i < tokens * width; i++)
        result[before.length + i] = projected[(Math.floor(i / width) * 3 + which) * width + (i % width)];
      return result;
    };
    const [k, v] = [part(1, past?.k), part(2, past?.v)];
    const keys = k.length / width;
    const shape = { queries: tokens, keys, heads, headDim, past: keys - tokens, causal: true };
    const attended = attentionReference(part(0), k, v, shape);
    x = matmulReference(attended, attentionOut.weight, tokens, width, width, { bias: attentionOut.bias, residual: x });
    const hidden = matmulReference(normed(x, norm2), mlpIn.weight, tokens, width, 4 * width, {
      ...{ bias: mlpIn.bias, gelu: true },
    });
    x = matmulReference(hidden, mlpOut.weight, tokens, 4 * width, width, { bias: mlpOut.bias, residual: x });
  }
  return x;
}
