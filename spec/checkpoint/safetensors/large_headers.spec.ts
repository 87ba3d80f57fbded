import { expect } from "chai";
import { SafetensorsFile } from "../../../checkpoint/safetensors/file.ts";
import { MemorySource } from "../../../checkpoint/sources/memory.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { safetensorsBytes } from "../../support/files/safetensors_bytes.ts";

const open = async (bytes: Uint8Array) => await SafetensorsFile.open(new MemorySource("x.safetensors", bytes));

// attack_… is of the folder attacks/ of safetensors.
describe("large safetensors headers", () => {
  it("metadata of 20 MB", async () => {
    const text = "x".repeat(20e6);
    const file = await open(safetensorsBytes({ __metadata__: { text } }));
    expect(file.header.metadata.get("text")).to.equal(text);
  });

  it("attack_3: 100,000 tensors share one range", async () => {
    const tensor = { dtype: "I32", shape: [200, 200], data_offsets: [0, 160_000] };
    const tensors = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`weight_${i}`, tensor]));
    const error = await engineErrorOf(() => open(safetensorsBytes(tensors, 160_000)));
    expect(error.code).to.equal("bad-input");
    expect(error.toLine()).to.match(/leaves a hole or overlaps/);
  });

  it("a shape of a million large extents, without multiplying them all", async () => {
    const shape = new Array(1e6).fill(Number.MAX_SAFE_INTEGER);
    const error = await engineErrorOf(() =>
      open(safetensorsBytes({ a: { dtype: "I32", shape, data_offsets: [0, 4] } }, 4)),
    );
    expect(error.problem).to.equal("the size overflows");
    expect(error.toLine().length).to.be.below(2000);
  });
});
