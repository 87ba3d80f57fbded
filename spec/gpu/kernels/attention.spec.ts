import { expect } from "chai";
import type { Gpu } from "../../../engine/gpu.ts";
import type { Tensor } from "../../../engine/tensor.ts";
import { attention, attentionScratch } from "../../../kernels/attention/attention.ts";
import { attentionDecode, decodeScratch, kvAppend } from "../../../kernels/attention/decode/decode.ts";
import { attentionDecodeLab } from "../../../kernels/attention/lab/versions.ts";
import { attentionReference } from "../../../kernels/attention/reference.ts";
import {
  attentionDecodeVersions,
  attentionVersions,
  type AttentionVersion,
} from "../../../kernels/attention/versions.ts";
import { createLinear } from "../../../kernels/matmul/linear.ts";
import { matmul } from "../../../kernels/matmul/matmul.ts";
import { identityMatrix } from "../../../kernels/matmul/reference.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const tolerance = { absolute: 2e-6, relative: 2e-5 };

for (const version of Object.keys(attentionVersions) as AttentionVersion[])
  describe(`attention, version ${version}`, () => {
    let gpu: Gpu;
    before(async function () {
      gpu = await sharedGpu();
      if (!attentionVersions[version].kernels.every((kernel) => gpu.supports(kernel))) this.skip();
    });

    interface Case {
      queries: number;
      keys: number;
      heads: number;
      headDim: number;
      past?: number;
      causal: boolean;
      mask?: number[];
    }

    async function check(shape: Case): Promise<void> {
      const { queries, keys, heads, headDim, mask } = shape;
      const width = heads * headDim;
      const host = {
        q: noise(queries * width, 1, 2),
        k: noise(keys * width, 2, 2),
        v: noise(keys * width, 3, 2),
      };
      const rows = (name: "q" | "k" | "v", count: number) => ({
        tensor: gpu.tensorFrom("f32", [count, width], host[name], name),
        first: 0,
        stride: width,
      });
      const [q, k, v] = [rows("q", queries), rows("k", keys), rows("v", keys)];
      // As behind another row of a batch.
      const yFirst = 4 * width;
      const y = gpu.tensor("f32", [4 + queries, width], "y");
      const scratch = attentionScratch(gpu, { queries, keys, heads, headDim, version });
      const maskTensor = mask && gpu.tensorFrom("u32", [keys], Uint32Array.from(mask), "mask");
      const program = gpu.program("attention");
      attention(program, q, k, v, y, {
        queries,
        keys,
        heads,
        headDim,
        past: shape.past ?? 0,
        causal: shape.causal,
        yFirst,
        ...(maskTensor ? { mask: maskTensor } : {}),
        scratch,
        version,
      });
      await program.run();
      const result = await y.read();
      expect(result.subarray(0, yFirst).every((value) => value === 0)).equal(true);
      expectClose(
        result.subarray(yFirst),
        attentionReference(host.q, host.k, host.v, shape),
        tolerance,
        JSON.stringify(shape),
      );
      for (const tensor of [q.tensor, k.tensor, v.tensor, y, maskTensor, scratch]) tensor?.dispose();
      program.dispose();
    }

    const shapes = [
      { queries: 1, keys: 1, heads: 1, headDim: 4 },
      { queries: 33, keys: 33, heads: 2, headDim: 64 },
      { queries: 131, keys: 131, heads: 3, headDim: 12 },
    ];
    const oddShapes = [
      { queries: 1, keys: 1, heads: 1, headDim: 1 },
      { queries: 7, keys: 7, heads: 3, headDim: 5 },
      { queries: 5, keys: 5, heads: 1, headDim: 100 },
      { queries: 65, keys: 65, heads: 5, headDim: 10 },
    ];
    for (const shape of version === "query" ? [...shapes, ...oddShapes] : shapes)
      for (const causal of [true, false])
        it(`${causal ? "causal" : "non-causal"} ${JSON.stringify(shape)}`, () => check({ ...shape, causal }));

    if (version === "strips" || version === "wide")
      it("takes heads that are wider than a workgroup", () =>
        check({ queries: 9, keys: 9, heads: 2, headDim: 100, causal: true }));

    if (version !== "query")
      it("refuses heads of a width that it cannot do", async () => {
        const x = gpu.tensor("f32", [6], "x");
        const y = gpu.tensor("f32", [6], "y");
        const program = gpu.program("attention");
        const rows = { tensor: x, first: 0, stride: 6 };
        const shape = { queries: 1, keys: 1, heads: 1, headDim: 6, causal: true, version };
        const error = await engineErrorOf(() => attention(program, rows, rows, rows, y, shape));
        expect(error.code).equal("usage");
        for (const thing of [x, y, program]) thing.dispose();
      });

    it("continues after a past that is longer than a tile", () =>
      check({ queries: 21, keys: 60, heads: 2, headDim: 8, past: 39, causal: true }));

    it("takes any number of keys beside any number of queries", () =>
      check({ queries: 35, keys: 101, heads: 2, headDim: 36, causal: false }));

    it("continues after a past", () => check({ queries: 4, keys: 13, heads: 2, headDim: 12, past: 9, causal: true }));

    it("masks keys", () =>
      check({ queries: 6, keys: 6, heads: 2, headDim: 8, causal: true, mask: [1, 0, 1, 1, 0, 1] }));

    it("weighs keys masked once evenly where a row sees none", () =>
      check({ queries: 6, keys: 6, heads: 2, headDim: 8, causal: true, mask: [0, 0, 0, 1, 1, 0] }));

    it("masks whole tiles of keys", () =>
      check({
        queries: 70,
        keys: 70,
        heads: 1,
        headDim: 8,
        causal: true,
        mask: Array.from({ length: 70 }, (_, i) => (i < 40 ? 0 : 1)),
      }));

    it("weighs all keys evenly when all are masked and nothing is causal", () =>
      check({ queries: 3, keys: 10, heads: 1, headDim: 4, causal: false, mask: Array<number>(10).fill(0) }));

    it("reads q, k and v out of one product", async () => {
      const [length, heads, headDim] = [9, 2, 4];
      const width = heads * headDim;
      const product = noise(length * 3 * width, 4, 2);
      const column = (index: number): Float32Array =>
        Float32Array.from(
          { length: length * width },
          (_, i) => product[Math.floor(i / width) * 3 * width + index * width + (i % width)],
        );
      const qkv = gpu.tensorFrom("f32", [length, 3 * width], product, "qkv");
      const y = gpu.tensor("f32", [length, width], "y");
      const part = (index: number) => ({ tensor: qkv, first: index * width, stride: 3 * width });
      const program = gpu.program("attention");
      const shape = { queries: length, keys: length, heads, headDim, causal: true, version };
      const scratch = attentionScratch(gpu, shape);
      attention(program, part(0), part(1), part(2), y, { ...shape, scratch });
      await program.run();
      expectClose(await y.read(), attentionReference(column(0), column(1), column(2), shape), tolerance);
      for (const tensor of [qkv, y, scratch]) tensor?.dispose();
      program.dispose();
    });
  });

for (const [name, version] of Object.entries({ ...attentionDecodeVersions, ...attentionDecodeLab }))
  describe(`attention over a KV cache, version ${name}`, () => {
    let gpu: Gpu;
    before(async function () {
      gpu = await sharedGpu();
      if (!gpu.supports(version.kernels[0])) this.skip();
    });

    for (const { heads, headDim, prefill, capacity } of [
      { heads: 3, headDim: 5, prefill: 4, capacity: 9 },
      { heads: 2, headDim: 64, prefill: 70, capacity: 80 },
      { heads: 1, headDim: 130, prefill: 1, capacity: 5 },
      { heads: 3, headDim: 12, prefill: 1, capacity: 6 },
      { heads: 1, headDim: 132, prefill: 260, capacity: 262 },
      { heads: 2, headDim: 24, prefill: 254, capacity: 259 },
    ].filter((shape) => version.lacks(shape) === undefined))
      it(`equals full causal attention: ${heads} heads of ${headDim}, ${prefill} of ${capacity} positions, two rows`, async () => {
        const width = heads * headDim;
        const rows = 2;
        const cache = {
          k: gpu.tensor("f32", [rows, capacity, width], "k"),
          v: gpu.tensor("f32", [rows, capacity, width], "v"),
        };
        const shape = { rows, heads, headDim, capacity, version };
        const scratch = decodeScratch(gpu, shape);
        const y = gpu.tensor("f32", [rows, width], "y");
        const state = gpu.tensor("u32", [rows, 4], "state");
        const step = gpu.tensor("f32", [rows, 3 * width], "qkv");
        const products = [11, 12].map((seed) => noise(capacity * 3 * width, seed, 2));
        for (const [row, product] of products.entries()) {
          const qkv = gpu.tensorFrom("f32", [prefill, 3 * width], product.slice(0, prefill * 3 * width), "prefill");
          const program = gpu.program("append");
          kvAppend(program, qkv, cache, { rows: prefill, width, first: row * capacity * width });
          await program.run();
          program.dispose();
          qkv.dispose();
        }
        const program = gpu.program("decode");
        const attended = attentionDecode(program, { qkv: step, state, cache, scratch, y }, shape);
        const identity = createLinear(gpu, identityMatrix(width), width, width, "identity");
        if (attended !== undefined) matmul(program, attended.parts, identity, y, { rows, attended });
        for (let position = prefill; position < capacity; position++) {
          for (const [row, product] of products.entries()) {
            step.write(product.slice(position * 3 * width, (position + 1) * 3 * width), row * 3 * width);
            state.write(Uint32Array.of(0, position, 0, 0), row * 4);
          }
          await program.run();
          const result = (await y.read()) as Float32Array;
          for (const [row, product] of products.entries()) {
            const column = (index: number, first: number, count: number): Float32Array =>
              Float32Array.from(
                { length: count * width },
                (_, i) => product[(first + Math.floor(i / width)) * 3 * width + index * width + (i % width)],
              );
            const expected = attentionReference(
              column(0, position, 1),
              column(1, 0, position + 1),
              column(2, 0, position + 1),
              { queries: 1, keys: position + 1, heads, headDim, past: position, causal: true },
            );
            expectClose(
              result.subarray(row * width, (row + 1) * width),
              expected,
              tolerance,
              `row ${row} at ${position}`,
            );
          }
        }
        const kept: Tensor[] = [cache.k, cache.v, scratch, y, state, step, identity.weight];
        for (const tensor of kept) tensor.dispose();
        program.dispose();
        expect(kept.every((tensor) => tensor.disposed)).equal(true);
      });
  });
