import { expect } from "chai";
import { CausalWeights } from "../../bark/gpt/causal_weights.ts";
import { DecodeSession, tokensPerReadback } from "../../bark/gpt/decode_session.ts";
import { BarkConfig } from "../../bark/config/config.ts";
import { BarkGenerationConfig } from "../../bark/config/generation_config.ts";
import { BarkModel } from "../../bark/model.ts";
import type { EngineError } from "../../engine/errors.ts";
import { openGpu, type Gpu } from "../../engine/gpu.ts";
import { SafetensorsCheckpoint } from "../../checkpoint/safetensors/checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { openRepositoryStore } from "../support/runtime.ts";

interface Decode {
  readonly gpu: Gpu;
  readonly session: DecodeSession;
  readonly layers: number;
}

/**
 * Runs a greedy session of the embedded semantic model, then holds that everything was freed.
 * @param options.gpu default: the shared one, whose kernels are compiled once.
 */
async function withSession(
  options: { rows?: number; gpu?: Gpu; tokensPerReadback?: number },
  use: (decode: Decode) => Promise<void>,
): Promise<void> {
  const store = await openRepositoryStore("models/nano");
  const { semantic_config: config } = await BarkConfig.from_pretrained(store);
  const { semantic_config: generation } = await BarkGenerationConfig.from_pretrained(store);
  const columns = generation.semantic_vocab_size;
  const reader = await SafetensorsCheckpoint.open(store);
  const gpu = options.gpu ?? (await sharedGpu());
  const before = new Map(gpu.ledger.byLabel());
  const model = await CausalWeights.load(gpu, reader, "semantic.", config, "f32");
  const session = new DecodeSession(model, {
    rows: options.rows ?? 1,
    maxTokens: 128,
    tokensPerReadback: options.tokensPerReadback,
    sampling: [{ columns: [0, columns + 1], sample: { ranges: [[0, columns]], greedy: true } }],
  });
  await use({ gpu, session, layers: config.num_layers });
  session.dispose();
  model.dispose();
  await reader.close();
  expect(gpu.ledger.byLabel()).deep.equal(before);
}

const prompt = { ids: [1, 2, 3] };

async function greedyTokens(session: DecodeSession, count: number): Promise<number[][]> {
  await session.prefill(Array.from({ length: session.options.rows }, () => prompt));
  return (await batches(session, count)).at(-1)!;
}

/** What a decode gives at each readback. */
async function batches(session: DecodeSession, count: number): Promise<number[][][]> {
  const read: number[][][] = [];
  for await (const tokens of session.decode(count)) read.push(tokens);
  return read;
}

describe("decode of the embedded checkpoint", () => {
  it("takes at most 5 dispatches a layer, no host write, and one readback for several tokens", () =>
    withSession({}, async ({ gpu, session, layers }) => {
      // The first decode writes the params of the recorded programs, once.
      await session.prefill([prompt]);
      await batches(session, 64);

      await session.prefill([prompt]);
      const before = { ...gpu.counters };
      const read = await batches(session, 64);
      const readbacks = read.length;
      const used = (name: keyof typeof before): number => gpu.counters[name] - before[name];

      // Embedding, head and sampling are not a layer's; the first token needs the tail of a step alone.
      expect((session.dispatchesPerStep - 3) / layers).to.be.at.most(5);
      expect(used("dispatches")).equal(63 * session.dispatchesPerStep + 2);
      expect(used("hostWrites")).equal(0);
      expect(used("submits")).equal(readbacks);
      expect(used("readbacks")).equal(readbacks);
      expect(readbacks).equal(Math.ceil(64 / tokensPerReadback(gpu)));
      const [tokens] = read.at(-1)!;
      expect(tokens.slice(64)).deep.equal(tokens.slice(0, 64));
    }));

  it("reads back as often as asked, the same tokens", async () => {
    const read = new Map<number, number[]>();
    for (const count of [3, 16])
      await withSession({ tokensPerReadback: count }, async ({ session }) => {
        await session.prefill([prompt]);
        const given = await batches(session, 16);
        expect(given.map(([row]) => row.length)).deep.equal(count === 3 ? [3, 6, 9, 12, 15, 16] : [16]);
        read.set(count, given.at(-1)![0]);
      });
    expect(read.get(3)).deep.equal(read.get(16));
  });

  it("refuses an invalid number of tokens between readbacks, and leaves nothing", async () => {
    const gpu = await sharedGpu();
    const model = await BarkModel.from_pretrained(await openRepositoryStore("models/nano"), { gpu });
    const bytes = gpu.ledger.bytes;
    const input_ids = [Array.from({ length: 64 }, (_, i) => 10 + i)];
    for (const tokens_per_readback of [0, 1.5, NaN]) {
      const speech = model.generate({ input_ids, tokens_per_readback });
      const message = await speech.catch((error: unknown) => (error as EngineError).message);
      expect(message).match(/^tokens_per_readback: wrong value/);
    }
    expect(gpu.ledger.bytes).equal(bytes);
    model.dispose();
  });

  it("decodes four rows to the tokens of one, in less than twice its dispatches", async () => {
    let dispatches = 0;
    let alone: number[] = [];
    await withSession({}, async ({ session }) => {
      dispatches = session.dispatchesPerStep;
      [alone] = await greedyTokens(session, 16);
    });
    await withSession({ rows: 4 }, async ({ session }) => {
      expect(session.dispatchesPerStep).below(2 * dispatches);
      expect(await greedyTokens(session, 16)).deep.equal([alone, alone, alone, alone]);
    });
  });

  it("prefills rows of a batch in one pass, each to its own tokens, and in groups where they are many", async () => {
    const inputOf = (row: number): { ids: number[] } => ({
      ids: Array.from({ length: 300 }, (_, i) => (7 * i + 13 * row) % 700),
    });
    const expected: number[][] = [];
    let dispatches = 0;
    await withSession({}, async ({ gpu, session }) => {
      for (const row of [0, 1, 2, 3]) {
        const before = gpu.counters.dispatches;
        await session.prefill([inputOf(row)]);
        dispatches = gpu.counters.dispatches - before;
        expected.push((await batches(session, 4)).at(-1)![0].slice(-4));
      }
    });
    expect(new Set(expected.map(String)).size).above(1);
    await withSession({ rows: 4 }, async ({ gpu, session }) => {
      const before = gpu.counters.dispatches;
      await session.prefill([0, 1, 2, 3].map(inputOf));
      // Only attention and the caches take a dispatch a row.
      expect(gpu.counters.dispatches - before).below(4 * dispatches);
      expect((await batches(session, 4)).at(-1)).deep.equal(expected);
    });
  });

  it("takes the kernels of GPUs, one batch ahead of the readback, to the same tokens", async () => {
    let alone: number[] = [];
    await withSession({}, async ({ session }) => {
      [alone] = await greedyTokens(session, 2);
    });
    const gpu = await openGpu({ kernels: "gpu" });
    // Few, since a step by these kernels takes a software adapter seconds.
    const batch = 1;
    await withSession({ gpu, tokensPerReadback: batch }, async ({ session, layers }) => {
      expect((session.dispatchesPerStep - 3) / layers).to.be.at.most(5);
      expect(await greedyTokens(session, 2)).deep.equal([alone]);

      await session.prefill([prompt]);
      const { readbacks } = gpu.counters;
      const before = gpu.counters.submits;
      for await (const [row] of session.decode(4 * batch)) {
        expect([row.length, gpu.counters.submits - before]).deep.equal([2 + batch, 2]);
        break;
      }
      expect(gpu.counters.submits - before).equal(2);
      // What was under way was waited for, so that disposing is safe.
      expect(gpu.counters.readbacks).equal(readbacks + 2);
    });
    gpu.dispose();
    expect(gpu.ledger.bytes).equal(0);
  });

  it("compiles ahead, frees everything after each run and stays within weights + 25 % + KV cache", async () => {
    const gpu = await openGpu();
    const start = gpu.ledger.bytes;
    const model = await BarkModel.from_pretrained(await openRepositoryStore("models/nano"), { gpu, dtype: "f32" });
    const weights = gpu.ledger.bytes - start;
    const attention_mask = [Array.from({ length: 64 }, (_, i) => (i < 3 ? 1 : 0))];
    const speak = () =>
      model.generate({
        input_ids: [Array.from({ length: 64 }, (_, i) => (i < 3 ? 40 + i : 0))],
        attention_mask,
        seed: 1n,
        semantic_max_new_tokens: 6,
      });
    const ahead = new Set(gpu.pipelines.keys);
    await speak();
    const [bytes, peak] = [gpu.ledger.bytes, gpu.ledger.peakBytes];
    expect(bytes).equal(start + weights);
    // All that the three GPTs run was being compiled while their weights were read.
    const gpts = /^(attention|embedding|layernorm|matmul|sample)/;
    expect(gpu.pipelines.keys.filter((key) => gpts.test(key) && !ahead.has(key))).deep.equal([]);
    gpu.ledger.resetPeak();
    await speak();
    expect([gpu.ledger.bytes, gpu.ledger.peakBytes]).deep.equal([bytes, peak]);
    const kv = (config: { num_layers: number; block_size: number; hidden_size: number }): number =>
      2 * 4 * config.num_layers * config.block_size * config.hidden_size;
    const { semantic_config, coarse_acoustics_config } = model.config;
    const cache = Math.max(kv(semantic_config), kv(coarse_acoustics_config));
    expect(gpu.ledger.peakBytes).to.be.at.most(1.25 * weights + cache);
    model.dispose();
    expect(gpu.ledger.bytes).equal(start);
    gpu.dispose();
    expect(gpu.ledger.bytes).equal(0);
  });
});
