import { expect } from "chai";
import type { Gpu } from "../../../engine/gpu.ts";
import { createCodebook, nearestEntries } from "../../../kernels/codebook/codebook.ts";
import { nearestReference } from "../../../kernels/codebook/reference.ts";
import { Scope } from "../../../engine/scope.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";

describe("codebook", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  /** Codes and residual of rows x; checks that no code is written outside [first, first + rows). */
  async function nearest(
    x: Float32Array<ArrayBuffer>,
    entries: Float32Array,
    width: number,
    first = 0,
  ): Promise<{ codes: number[]; residual: Float32Array }> {
    const [rows, size] = [x.length / width, entries.length / width];
    const untouched = 0xffffffff;
    const scope = new Scope(gpu);
    const codebook = createCodebook(scope, entries, size, width, "codebook");
    const tensors = {
      x: gpu.tensorFrom("f32", [rows, width], x, "x"),
      scores: gpu.tensor("f32", [rows, size], "scores"),
      codes: gpu.tensorFrom("u32", [first + rows + 1], new Uint32Array(first + rows + 1).fill(untouched), "codes"),
    };
    const program = gpu.program("codebook");
    nearestEntries(program, tensors.x, rows, codebook, { scores: tensors.scores, codes: tensors.codes, first });
    await program.run();
    const codes = [...(await tensors.codes.read())];
    const residual = (await tensors.x.read()) as Float32Array;
    program.dispose();
    scope.dispose();
    for (const tensor of Object.values(tensors)) tensor.dispose();
    expect([...codes.slice(0, first), ...codes.slice(first + rows)].every((code) => code === untouched)).equal(true);
    return { codes: codes.slice(first, first + rows), residual };
  }

  for (const rows of [1, 4, 5, 33, 70])
    for (const [size, width] of [
      [1, 1],
      [2, 3],
      [33, 5],
      [64, 16],
      [1024, 128],
    ])
      it(`${rows} rows, ${size} entries of ${width}`, async () => {
        const [x, entries] = [noise(rows * width, 1), noise(size * width, 2)];
        const { codes, residual } = await nearest(x, entries, width, rows % 3);
        const expected = nearestReference(x, entries, width);
        expect(codes).to.deep.equal(expected.codes);
        expectClose(residual, expected.residual, { absolute: 1e-6 }, "residual");
      });

  it("takes the first of equal entries, at any distance between them", async () => {
    const width = 6;
    const [a, b] = [noise(width, 3), noise(width, 4)];
    const entries = Float32Array.from([b, a, b, a, a, b, a].flatMap((entry) => [...entry]));
    const { codes, residual } = await nearest(Float32Array.from([...a, ...b]), entries, width);
    expect(codes).to.deep.equal([1, 0]);
    expectClose(residual, new Float32Array(2 * width), { absolute: 0.5 ** 149 }, "residual");
  });

  it("takes the first where all scores are equal", async () => {
    const { codes } = await nearest(noise(2 * 4, 5), new Float32Array(9 * 4), 4);
    expect(codes).to.deep.equal([0, 0]);
  });

  it("tells entries apart whose distances differ by less than a rounding of |x|^2", async () => {
    // |x|^2 is 1e8, where f32 steps by 8; the squared distances differ by 1e-6.
    const { codes } = await nearest(Float32Array.of(1e4, 1e-3), Float32Array.of(0, 0, 0, 1e-3), 2);
    expect(codes).to.deep.equal([1]);
  });
});
