import { expect } from "chai";
import { readFileSync } from "node:fs";
import { BarkConfig } from "../../bark/config.ts";
import { BarkTokenizer } from "../../bark/tokenizer.ts";
import { MemoryStore } from "../../engine/stores/memory.ts";
import { loadOrRefuse } from "../support/mutation_run.ts";
import { mutateBytes, mutateJson, type Random } from "../support/mutations.ts";

function mutateFile(file: string): (random: Random) => Uint8Array {
  const bytes = Uint8Array.from(readFileSync(`models/nano/${file}`));
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return (random) =>
    random.below(4) === 0 ? mutateBytes(bytes, random) : new TextEncoder().encode(mutateJson(value, random));
}

async function loadConfig(file: Uint8Array): Promise<void> {
  const config = await BarkConfig.from_pretrained(new MemoryStore(new Map([["config.json", file]])));
  expect(config.codec_config.num_quantizers).to.be.a("number");
  expect(config.to_dict()).to.include({ model_type: "bark" });
}

const text = "Hello, naïve dog! [MASK] 你好 1,000 xyzzy";

async function loadTokenizer(file: Uint8Array): Promise<void> {
  const tokenizer = await BarkTokenizer.from_pretrained(new MemoryStore(new Map([["tokenizer.json", file]])));
  expect(tokenizer.encode(text).every((id) => Number.isInteger(id) && id >= 0)).to.equal(true);
  tokenizer.truncation(text, 3);
}

describe("mutations of a checkpoint's JSON", () => {
  it("loads or refuses 1,000 of config.json", async () => {
    expect(await loadOrRefuse("memory/config.json", mutateFile("config.json"), loadConfig)).to.be.within(100, 900);
  });

  it("loads or refuses 1,000 of tokenizer.json", async () => {
    expect(await loadOrRefuse("tokenizer.json", mutateFile("tokenizer.json"), loadTokenizer)).to.be.within(100, 900);
  });
});
