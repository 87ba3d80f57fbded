import { expect } from "chai";
import { CausalModel } from "../../bark/causal_model.ts";
import { CausalSession } from "../../bark/causal_session.ts";
import { BarkConfig } from "../../bark/config.ts";
import { BarkModel } from "../../bark/model.ts";
import { openGpu } from "../../engine/gpu.ts";
import { SafetensorsCheckpoint } from "../../engine/safetensors/checkpoint.ts";
import { openRepositoryStore } from "../support/runtime.ts";

describe("decode of the embedded checkpoint", () => {
  it("takes at most 5 dispatches a layer, no host write, and one readback for several tokens", async () => {
    const store = await openRepositoryStore("models/nano");
    const { semantic_config: config } = await BarkConfig.from_pretrained(store);
    const reader = await SafetensorsCheckpoint.open(store);
    const gpu = await openGpu();
    const model = await CausalModel.load(gpu, reader, "semantic.", config, "f32");
    const session = new CausalSession(model, {
      rows: 1,
      maxTokens: 128,
      sampling: [{ columns: [0, 721], sample: { ranges: [[0, 720]], greedy: true } }],
    });
    // The first decode writes the params of the recorded programs, once.
    await session.prefill([{ ids: [1, 2, 3] }]);
    await session.decode(64);

    await session.prefill([{ ids: [1, 2, 3] }]);
    const before = { ...gpu.counters };
    let readbacks = 0;
    await session.decode(64, async () => {
      await session.readTokens();
      readbacks++;
      return false;
    });
    const used = (name: keyof typeof before): number => gpu.counters[name] - before[name];

    // Embedding, head and sampling are not a layer's; the first token needs the tail of a step alone.
    expect((session.dispatchesPerStep - 3) / config.num_layers).to.be.at.most(5);
    expect(used("dispatches")).equal(63 * session.dispatchesPerStep + 2);
    expect(used("hostWrites")).equal(0);
    expect(used("submits")).equal(readbacks);
    expect(used("readbacks")).equal(readbacks);
    expect(readbacks).to.be.at.most(64 / 8);
    const [tokens] = await session.readTokens();
    expect(tokens.slice(64)).deep.equal(tokens.slice(0, 64));

    session.dispose();
    model.dispose();
    await reader.close();
    gpu.dispose();
    expect([...gpu.ledger.byLabel()]).deep.equal([]);
  });

  it("frees everything and stays within weights + 25 % + KV cache", async () => {
    const gpu = await openGpu();
    const start = gpu.ledger.bytes;
    const model = await BarkModel.from_pretrained(await openRepositoryStore("models/nano"), { gpu, dtype: "f32" });
    const weights = gpu.ledger.bytes - start;
    const attention_mask = [Array.from({ length: 64 }, (_, i) => (i < 3 ? 1 : 0))];
    await model.generate({
      input_ids: [Array.from({ length: 64 }, (_, i) => (i < 3 ? 40 + i : 0))],
      attention_mask,
      do_sample: false,
      semantic_max_new_tokens: 24,
    });
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
