import { expect } from "chai";
import type { Gpu } from "../../engine/gpu.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { sharedGpu } from "../support/gpu.ts";
import { scaleKernel } from "../support/scale_kernel.ts";

describe("programs", () => {
  let gpu: Gpu;
  let bytesBefore: number;
  let labelsBefore: string[];
  let x: Tensor<"f32">;
  let y: Tensor<"f32">;

  before(async () => {
    gpu = await sharedGpu();
  });
  beforeEach(() => {
    bytesBefore = gpu.ledger.bytes;
    labelsBefore = [...gpu.ledger.byLabel().keys()];
    x = gpu.tensorFrom("f32", [4], Float32Array.of(1, 2, 3, 4), "spec x");
    y = gpu.tensor("f32", [4], "spec y");
  });
  // Every spec of this file must leave the device as it found it.
  afterEach(() => {
    x.dispose();
    y.dispose();
    expect([...gpu.ledger.byLabel().keys()]).deep.equal(labelsBefore);
    expect(gpu.ledger.bytes).equal(bytesBefore);
  });

  const values = async (tensor: Tensor): Promise<number[]> => Array.from(await tensor.read());
  const scale = { count: 4, shift: 0, scale: 2 };

  it("start with zeros in a new tensor", async () => {
    expect(await values(y)).deep.equal([0, 0, 0, 0]);
  });

  it("pass u32, i32 and f32 params and override constants", async () => {
    const program = gpu.program("params");
    program.dispatch(scaleKernel, { x, y }, { count: 3, shift: -5, scale: 0.5 }, { offset: 100 });
    await program.run();
    expect(await values(y)).deep.equal([95.5, 96, 96.5, 0]);
    program.dispose();
  });

  it("replay with what the tensors then hold", async () => {
    const program = gpu.program("replay");
    program.dispatch(scaleKernel, { x, y }, scale);
    await program.run();
    expect(await values(y)).deep.equal([2, 4, 6, 8]);
    x.write(Float32Array.of(10, 20), 1);
    await program.run();
    expect(await values(y)).deep.equal([2, 20, 40, 8]);
    program.dispose();
  });

  it("see the results of earlier dispatches and programs of one submit", async () => {
    const there = gpu.program("there");
    there.dispatch(scaleKernel, { x, y }, scale);
    const back = gpu.program("back");
    back.dispatch(scaleKernel, { x: y, y: x }, { count: 4, shift: 1, scale: 1 });
    await gpu.submit([there, back, there, back, there]);
    expect(await values(y)).deep.equal([14, 22, 30, 38]);
    there.dispose();
    back.dispose();
  });

  it("copy words between dispatches, in order", async () => {
    const copied = gpu.tensor("f32", [6], "spec copied");
    const program = gpu.program("copies");
    program.dispatch(scaleKernel, { x, y }, scale);
    program.copy(y, 1, copied, 3, 2);
    program.dispatch(scaleKernel, { x: copied, y }, { count: 4, shift: 0, scale: 10 });
    program.copy(y, 3, copied, 0, 1);
    await program.run();
    expect(await values(copied)).deep.equal([40, 0, 0, 4, 6, 0]);
    expect(program.kernelNames).deep.equal(["spec.scale", "spec.scale"]);
    program.dispose();
    copied.dispose();
  });

  it("count dispatches, submits, readbacks and writes of the host", async () => {
    const program = gpu.program("counted");
    program.dispatch(scaleKernel, { x, y }, scale);
    program.dispatch(scaleKernel, { x: y, y: x }, scale);
    expect(program.dispatches).equal(2);
    const start = { ...gpu.counters };
    await program.ready();
    expect(gpu.counters, "the params are written once").deep.equal({ ...start, hostWrites: start.hostWrites + 1 });
    await gpu.submit([program, program, program]);
    await program.run();
    await x.read();
    expect(gpu.counters).deep.equal({
      dispatches: start.dispatches + 8,
      submits: start.submits + 2,
      readbacks: start.readbacks + 1,
      hostWrites: start.hostWrites + 1,
    });
    program.dispose();
  });

  it("leave out a dispatch without workgroups", () => {
    const program = gpu.program("empty");
    program.dispatch(scaleKernel, { x, y }, { ...scale, count: 0 });
    expect(program.dispatches).equal(0);
  });

  it("run eagerly, and leave nothing behind", async () => {
    await gpu.runKernel(scaleKernel, { x, y }, scale, { offset: 1 });
    expect(await values(y)).deep.equal([3, 5, 7, 9]);
  });

  it("read parts of a tensor", async () => {
    expect(Array.from(await x.read(1, 2))).deep.equal([2, 3]);
    expect(Array.from(await x.read(3))).deep.equal([4]);
    expect(Array.from(await x.read(4))).deep.equal([]);
  });

  it("keep every dtype's bits", async () => {
    const tensors = [
      gpu.tensorFrom("u32", [3], Uint32Array.of(0, 1, 0xffffffff), "spec u32"),
      gpu.tensorFrom("i32", [3], Int32Array.of(-1, 0, 0x7fffffff), "spec i32"),
      gpu.tensorFrom("f16", [3], Uint32Array.of(0x3c00_c000, 0x0000_7bff), "spec f16"),
    ];
    expect(await values(tensors[0])).deep.equal([0, 1, 0xffffffff]);
    expect(await values(tensors[1])).deep.equal([-1, 0, 0x7fffffff]);
    expect(Array.from(await tensors[2].read(0, 2))).deep.equal([0x3c00_c000, 0x7bff]);
    for (const tensor of tensors) tensor.dispose();
  });

  it("enter the bytes alive in the ledger, and the most there were", () => {
    gpu.ledger.resetPeak();
    const [start, peak] = [gpu.ledger.bytes, gpu.ledger.peakBytes];
    expect(peak).equal(start);
    const large = gpu.tensor("f32", [100, 10], "spec large");
    const halves = gpu.tensor("f16", [5], "spec large");
    expect(gpu.ledger.bytes - start).equal(4000 + 12);
    expect(gpu.ledger.byLabel().get("spec large")).equal(4012);
    large.dispose();
    large.dispose();
    halves.dispose();
    expect(gpu.ledger.bytes).equal(start);
    expect(gpu.ledger.peakBytes - start).equal(4012);
  });

  it("name the adapter and keep to its limits", () => {
    expect(gpu.adapterName).match(/\w/);
    expect(gpu.paramsStride % gpu.limits.minUniformBufferOffsetAlignment).equal(0);
    expect(gpu.paramsStride).at.least(gpu.paramsBytes);
  });
});
