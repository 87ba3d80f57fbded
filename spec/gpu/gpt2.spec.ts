/** examples/gpt2: another model on the same engine and kernels, against what transformers wrote. */
import { expect } from "chai";
import { Scope } from "../../engine/scope.ts";
import { Gpt2, readTensors, type Gpt2Config } from "../../examples/gpt2/gpt2.ts";
import { sharedGpu } from "../support/gpu.ts";
import { readRepositoryFile } from "../support/runtime.ts";

const read = (name: string) => readRepositoryFile(`examples/gpt2/${name}`);
const readJson = async <T>(name: string) => JSON.parse(new TextDecoder().decode(await read(name))) as T;

describe("examples/gpt2", () => {
  it("writes what transformers writes", async () => {
    const { prompt, text } = await readJson<{ prompt: string; text: string }>("expected.json");
    const scope = new Scope(await sharedGpu());
    try {
      const model = new Gpt2(
        scope,
        readTensors(await read("model.safetensors")),
        await readJson<Gpt2Config>("config.json"),
      );
      const ids = [...new TextEncoder().encode(prompt)];
      const tokens = await model.generate(ids, text.length - prompt.length);
      expect(prompt + new TextDecoder().decode(Uint8Array.from(tokens))).equal(text);
    } finally {
      scope.dispose();
    }
  });
});
