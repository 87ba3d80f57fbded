import type { Gpu } from "../../../engine/gpu.ts";
import { add, elu } from "../../../kernels/elementwise/elementwise.ts";
import { addReference, eluReference } from "../../../kernels/elementwise/reference.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";

describe("elementwise", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  async function runElu(values: Float32Array<ArrayBuffer>): Promise<ArrayLike<number>> {
    const y = gpu.tensorFrom("f32", [values.length], values, "y");
    const program = gpu.program("elu");
    elu(program, y);
    await program.run();
    const result = await y.read();
    y.dispose();
    program.dispose();
    return result;
  }

  it("elu keeps its relative precision from far below to just below 0", async () => {
    const magnitudes = Array.from({ length: 400 }, (_, i) => 10 ** (-6 + i / 50));
    const values = Float32Array.from([...magnitudes.map((x) => -x), 0, ...magnitudes]);
    expectClose(await runElu(values), eluReference(values), { absolute: 1e-12, relative: 3e-7 });
  });

  // The last size needs more workgroups than one dimension holds.
  for (const size of [1, 63, 65, 65_536 * 64])
    for (const activate of size < 100 ? [false, true] : [true])
      it(`adds ${size} values${activate ? ", then ELU" : ""}, and leaves the rest alone`, async () => {
        const [x, y] = [noise(size, 1, 3), noise(size + 1, 2, 3)];
        const tensors = [gpu.tensorFrom("f32", [size], x, "x"), gpu.tensorFrom("f32", [size + 1], y, "y")];
        const program = gpu.program("add");
        add(program, tensors[0], tensors[1], { size, elu: activate });
        await program.run();
        const result = await tensors[1].read();
        for (const tensor of tensors) tensor.dispose();
        program.dispose();
        const sum = addReference(x, y);
        const expected = Float64Array.from([...Array.from(activate ? eluReference(sum) : sum), y[size]]);
        expectClose(result, expected, { absolute: 1e-6 });
      });
});
