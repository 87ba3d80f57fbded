import { openGpu } from "../../../engine/gpu.ts";
import { defineKernel, read, readWrite } from "../../../engine/kernel.ts";
import { hashedTensor } from "../../roofline/roofline.ts";
import type { Prepare } from "../contender.ts";

export const matvecKernel = defineKernel({
  name: "bench.matvec",
  source: new URL("../../roofline/matvec.wgsl", import.meta.url),
  bindings: { x: read("f32"), weight: read("f32"), y: readWrite("f32") },
  params: { inner: "u32", groups: "u32" },
  workgroups: ({ groups }) => [Math.ceil(groups / 64)],
});

/**
 * What a decode cannot do without on a software adapter: the products of its layers, each by the plainest fast kernel,
 * and nothing else.
 */
export const prepareFloor: Prepare = async (work, _folder, device) => {
  if (work.kind !== "gpt" || work.rows > 1) throw new Error("only a decode has this floor");
  const gpu = await openGpu(device === undefined ? {} : { device });
  const { width: D, layers } = work;
  const [x, y] = [await hashedTensor(gpu, 4 * D, 1), gpu.tensor("f32", [4 * D], "bench y")];
  const program = gpu.program("bench floor");
  const shapes = [
    [D, 3 * D],
    [D, D],
    [D, 4 * D],
    [4 * D, D],
  ];
  for (let layer = 0; layer < layers; layer++)
    for (const [i, [inner, columns]] of shapes.entries()) {
      const weight = await hashedTensor(gpu, inner * columns, 4 * layer + i);
      program.dispatch(matvecKernel, { x, weight, y }, { inner, groups: columns / 4 });
    }
  const run = async (): Promise<ArrayLike<number>> => {
    await program.run();
    return await y.read(0, D);
  };
  return { device: gpu.adapterName, run };
};
