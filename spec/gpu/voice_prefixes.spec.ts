import { expect } from "chai";
import { BarkConfig } from "../../bark/config/config.ts";
import { CausalWeights } from "../../bark/gpt/causal_weights.ts";
import { DecodeSession } from "../../bark/gpt/decode_session.ts";
import { SafetensorsCheckpoint } from "../../checkpoint/safetensors/checkpoint.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { sharedGpu } from "../support/gpu.ts";
import { openRepositoryStore } from "../support/runtime.ts";

const voice = (name: number): number[] => Array.from({ length: 24 }, (_, i) => (i * 7 + name) % 400);
const text = (name: number): number[] => Array.from({ length: 9 }, (_, i) => (i * 11 + name) % 400);

describe("the prefix of a voice", () => {
  let gpu: Gpu;
  let model: CausalWeights;
  let before: Map<string, number>;

  beforeEach(async () => {
    gpu = await sharedGpu();
    before = new Map(gpu.ledger.byLabel());
    const store = await openRepositoryStore("models/nano");
    const { coarse_acoustics_config: config } = await BarkConfig.from_pretrained(store);
    const reader = await SafetensorsCheckpoint.open(store);
    model = await CausalWeights.load(gpu, reader, "coarse_acoustics.", config, "f32");
    await reader.close();
  });
  afterEach(() => {
    model.dispose();
    expect(gpu.ledger.byLabel()).deep.equal(before);
  });

  /** Tokens after `inputs`. @param prefix positions that the inputs of a voice share. */
  async function decode(inputs: readonly (readonly number[])[], prefix?: number): Promise<number[][]> {
    const { output_vocab_size } = model.config;
    const sample = { ranges: [[0, output_vocab_size]], greedy: true } as const;
    const session = new DecodeSession(model, {
      rows: inputs.length,
      maxTokens: 6,
      sampling: [{ columns: [0, output_vocab_size], sample }],
    });
    try {
      await session.prefill(
        inputs.map((ids) => ({ ids })),
        undefined,
        prefix,
      );
      let tokens: number[][] = [];
      for await (tokens of session.decode(6));
      return tokens;
    } finally {
      session.dispose();
    }
  }

  it("is copied from its second use on, to the same tokens, in every row of a batch", async () => {
    const inputs = [1, 2, 3, 4, 5].map((name) => [...voice(0), ...text(name)]);
    const alone: number[][] = [];
    for (const ids of inputs) alone.push(...(await decode([ids])));
    expect(new Set(alone.map(String)).size, "pieces that tell them apart").greaterThan(1);

    const shared = [...(await decode([inputs[0]], 24))];
    expect(gpu.ledger.byLabel().has("voice prefix"), "after one piece").equal(false);
    shared.push(...(await decode([inputs[1]], 24)));
    expect(model.prefixes.copied).equal(0);
    shared.push(...(await decode([inputs[2]], 24)), ...(await decode([inputs[3], inputs[4]], 24)));
    expect(model.prefixes.copied).equal(3);
    expect(shared).deep.equal(alone);
  });

  it("is that of the ids alone: another voice, and rows of several voices, have their own", async () => {
    const own = [1, 2].map((name) => [...voice(name), ...text(9)]);
    const alone = [...(await decode([own[0]])), ...(await decode([own[1]]))];
    for (let turn = 0; turn < 3; turn++) {
      expect([...(await decode([own[0]], 24)), ...(await decode([own[1]], 24))]).deep.equal(alone);
      expect(await decode(own, 24), "in one batch").deep.equal(alone);
    }
    // Two turns of two voices; the batches share nothing.
    expect(model.prefixes.copied).equal(2);
  });

  it("keeps those of four voices, the last used", async () => {
    const speak = async (name: number) => await decode([[...voice(name), ...text(0)]], 24);
    for (const name of [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]) await speak(name);
    const bytes = gpu.ledger.byLabel().get("voice prefix");
    const { num_layers, hidden_size } = model.config;
    expect(bytes).equal(4 * 2 * num_layers * 24 * hidden_size * 4);
    const copied = model.prefixes.copied;
    await speak(2);
    expect(model.prefixes.copied).equal(copied + 1);
    await speak(1);
    expect(model.prefixes.copied, "the oldest went").equal(copied + 1);
  });
});
