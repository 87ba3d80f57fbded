import { expect } from "chai";
import { SafetensorsCheckpoint } from "../../checkpoint/safetensors/checkpoint.ts";
import { BarkConfig } from "../../bark/config/config.ts";
import { barkInventory } from "../../tools/inventory.ts";
import { SyntheticStore, syntheticSizes } from "../../tools/synthetic_store.ts";

describe("synthetic checkpoint in memory", () => {
  const store = new SyntheticStore("tiny");

  it("has a config and the tensors that go with it", async () => {
    const config = await BarkConfig.from_pretrained(store);
    expect(config.semantic_config.hidden_size).equal(syntheticSizes.tiny.hidden);
    const checkpoint = await SafetensorsCheckpoint.open(store);
    const names = barkInventory(syntheticSizes.tiny).map(({ name }) => name);
    expect([...checkpoint.names()].sort()).deep.equal(names.sort());
  });

  it("gives the same bytes however they are read, across the end of its block of values", async () => {
    const source = (await store.open("model.safetensors"))!;
    const [first, length] = [(1 << 24) - 1001, 2003];
    const whole = await source.read(first, length);
    const parts = [await source.read(first, 1000), await source.read(first + 1000, length - 1000)];
    expect(Buffer.concat(parts).equals(whole)).equal(true);
    expect(whole.some((byte) => byte !== 0)).equal(true);
  });

  it("fills weights with small values, norms with ones, and no two tensors alike", async () => {
    const checkpoint = await SafetensorsCheckpoint.open(store);
    const layer = (i: number) => checkpoint.readFloat32(`semantic.layers.${i}.attn.out_proj.weight`);
    const [first, second] = [await layer(0), await layer(1)];
    expect(Math.max(...first.map(Math.abs))).within(0.05, 0.06);
    expect([...first.subarray(0, 8)]).not.deep.equal([...second.subarray(0, 8)]);
    expect(new Set(await checkpoint.readFloat32("semantic.layernorm_final.weight"))).deep.equal(new Set([1]));
  });

  it("has no other files", async () => {
    expect(await store.open("pytorch_model.bin")).equal(undefined);
  });
});
