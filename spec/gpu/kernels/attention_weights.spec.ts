import type { Gpu } from "../../../engine/gpu.ts";
import { attentionWeights } from "../../../kernels/attention/attention_weights.ts";
import { attentionWeightsReference, type AttentionReferenceShape } from "../../../kernels/attention/reference.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";

const tolerance = { absolute: 2e-6, relative: 2e-5 };

describe("attention weights", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  async function check(shape: AttentionReferenceShape & { mask?: number[] }): Promise<void> {
    const { queries, keys, heads, headDim, mask } = shape;
    const width = heads * headDim;
    const host = { q: noise(queries * width, 1, 2), k: noise(keys * width, 2, 2) };
    // Rows as they lie in a product of q, k and v: not at the tensor's start, and further apart than they are wide.
    const rows = (name: "q" | "k", count: number) => {
      const [first, stride] = [3, 2 * width + 1];
      const spread = new Float32Array(first + count * stride).fill(NaN);
      for (let i = 0; i < count; i++) spread.set(host[name].subarray(i * width, (i + 1) * width), first + i * stride);
      return { tensor: gpu.tensorFrom("f32", [spread.length], spread, name), first, stride };
    };
    const [q, k] = [rows("q", queries), rows("k", keys)];
    const y = gpu.tensor("f32", [heads, queries, keys], "y");
    const maskTensor = mask && gpu.tensorFrom("u32", [keys], Uint32Array.from(mask), "mask");
    const program = gpu.program("attention weights");
    attentionWeights(program, q, k, y, { ...shape, mask: maskTensor });
    await program.run();
    const expected = attentionWeightsReference(host.q, host.k, shape);
    expectClose(await y.read(), expected, tolerance, JSON.stringify(shape));
    for (const tensor of [q.tensor, k.tensor, y, maskTensor]) tensor?.dispose();
    program.dispose();
  }

  for (const shape of [
    { queries: 1, keys: 1, heads: 1, headDim: 1 },
    { queries: 7, keys: 7, heads: 3, headDim: 5 },
    { queries: 33, keys: 33, heads: 2, headDim: 64 },
    { queries: 5, keys: 5, heads: 1, headDim: 130 },
  ])
    for (const causal of [true, false])
      it(`${causal ? "causal" : "non-causal"} ${JSON.stringify(shape)}`, () => check({ ...shape, causal }));

  it("continues after a past", () => check({ queries: 4, keys: 13, heads: 2, headDim: 6, past: 9, causal: true }));

  it("masks keys", () => check({ queries: 6, keys: 6, heads: 2, headDim: 8, causal: true, mask: [1, 0, 1, 1, 0, 1] }));

  it("weighs keys masked once evenly where a row sees none", () =>
    check({ queries: 6, keys: 6, heads: 2, headDim: 8, causal: true, mask: [0, 0, 0, 1, 1, 0] }));

  it("weighs all keys evenly when all are masked and nothing is causal", () =>
    check({ queries: 3, keys: 10, heads: 1, headDim: 4, causal: false, mask: Array<number>(10).fill(0) }));
});
