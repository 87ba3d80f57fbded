import { expect } from "chai";
import { SafetensorsCheckpoint } from "../../../checkpoint/safetensors/checkpoint.ts";
import { MemoryStore } from "../../../checkpoint/stores/memory.ts";
import { loadOrRefuse } from "../../support/mutations/mutation_run.ts";
import { mutateBytes, mutateJson } from "../../support/mutations/mutations.ts";
import { safetensorsBytes } from "../../support/files/safetensors_bytes.ts";

const header = {
  __metadata__: { format: "pt" },
  "semantic.weight": { dtype: "F32", shape: [4, 3], data_offsets: [0, 48] },
  "semantic.bias": { dtype: "F16", shape: [6], data_offsets: [48, 60] },
  "fine.weight": { dtype: "BF16", shape: [2, 2, 2], data_offsets: [60, 76] },
  scalar: { dtype: "F64", shape: [], data_offsets: [76, 84] },
  none: { dtype: "F32", shape: [0, 7], data_offsets: [84, 84] },
  rest: { dtype: "F32", shape: [5], data_offsets: [84, 104] },
};
const data = Uint8Array.from({ length: 104 }, (_, i) => (i * 37) % 256);
const whole = safetensorsBytes(header, data);
const headerBytes = whole.subarray(8, whole.length - data.length);

async function load(file: Uint8Array): Promise<void> {
  const checkpoint = await SafetensorsCheckpoint.open(new MemoryStore(new Map([["model.safetensors", file]])));
  for (const name of checkpoint.names()) {
    const { shape } = checkpoint.info(name);
    const size = shape.reduce((product, extent) => product * extent, 1);
    expect((await checkpoint.readFloat32(name)).length, name).to.equal(size);
    if (shape.length === 0 || shape[0] === 0) continue;
    expect((await checkpoint.gatherRows(name, [shape[0] - 1, 0])).length, name).to.equal((2 * size) / shape[0]);
  }
  await checkpoint.close();
}

describe("mutations of a safetensors file", () => {
  it("loads the file as it is", async () => await load(whole));

  it("loads or refuses 1,000 of them: the file, its header, the JSON of its header", async () => {
    const loaded = await loadOrRefuse(
      "memory/model.safetensors",
      (random) => {
        const kind = random.below(4);
        if (kind === 0) return mutateBytes(whole, random);
        if (kind === 1) return safetensorsBytes(mutateBytes(headerBytes, random), data);
        return safetensorsBytes(mutateJson(header, random), data);
      },
      load,
    );
    expect(loaded).to.be.within(20, 500);
  });
});
