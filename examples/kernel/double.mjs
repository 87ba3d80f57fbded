// A kernel of your own on the engine alone, the same in Node, in Deno and in a page.
import { defineKernel, openGpu, read, readWrite } from "bark-webgpu/engine";

const double = defineKernel({
  name: "double",
  source: new URL("./double.wgsl", import.meta.url),
  bindings: { x: read("f32"), y: readWrite("f32") },
  params: { size: "u32" },
  workgroups: ({ size }) => [Math.ceil(size / 64)],
});

const gpu = await openGpu();
const x = gpu.tensorFrom("f32", [3], Float32Array.of(1, 2, 3), "x");
const y = gpu.tensor("f32", [3], "y");
await gpu.runKernel(double, { x, y }, { size: 3 });
console.log(Array.from(await y.read())); // [2, 4, 6]
gpu.dispose();
