import { expect } from "chai";
import { openGpu, type Gpu } from "../../engine/gpu.ts";
import type { AnyKernel } from "../../engine/kernel.ts";
import { defineKernel, read, readWrite } from "../../engine/kernel.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { embeddingKernel } from "../../kernels/embedding/versions.ts";
import { gemm } from "../../kernels/matmul/versions.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { sharedGpu } from "../support/gpu.ts";
import { scaleKernel } from "../support/scale_kernel.ts";

describe("faults that the engine names", () => {
  let gpu: Gpu;
  let bytesBefore: number;
  before(async () => {
    gpu = await sharedGpu();
  });
  beforeEach(() => {
    bytesBefore = gpu.ledger.bytes;
  });
  afterEach(() => {
    expect(gpu.ledger.bytes, "bytes alive").equal(bytesBefore);
    gpu.check();
  });

  const drifted: Record<string, { declaration: Partial<AnyKernel>; expected: RegExp }> = {
    "a binding of another name": {
      declaration: { bindings: { x: read("f32"), weights: read("matrix"), bias: read("f32"), y: readWrite("f32") } },
      expected: /binding 1: weights, storage,read, matrix/,
    },
    "bindings in another order": {
      declaration: { bindings: { weight: read("matrix"), x: read("f32"), bias: read("f32"), y: readWrite("f32") } },
      expected: /binding 0: weight/,
    },
    "a binding that is written": {
      declaration: { bindings: { ...gemm.bindings, x: readWrite("f32") } },
      expected: /binding 0: x, storage,read_write/,
    },
    "a binding of another type": {
      declaration: { bindings: { ...gemm.bindings, x: read("u32") } },
      expected: /binding 0: x, storage,read, u32/,
    },
    "a binding that is missing": {
      declaration: { bindings: { x: read("f32"), weight: read("matrix"), bias: read("f32") } },
      expected: /@binding\(3\) var<uniform> params: Params/,
    },
    "params in another order": {
      declaration: { params: { inner: "u32", rows: "u32" } },
      expected: /struct Params \{ inner: u32, rows: u32 \}/,
    },
    "a param of another type": {
      declaration: { params: { ...(gemm.params as Record<string, "u32">), gelu: "f32" } },
      expected: /gelu: f32/,
    },
    "a constant that the shader lacks": { declaration: { constants: { tile: 8 } }, expected: /override tile/ },
  };
  for (const [what, { declaration, expected }] of Object.entries(drifted))
    it(`a declaration that has drifted from its shader: ${what}`, async () => {
      const kernel = { ...gemm, ...declaration, name: `spec.drifted ${what}` };
      const error = await engineErrorOf(() => gpu.pipelines.get(kernel, "f32", {}));
      expect(error).include({ code: "shader", where: kernel.name });
      expect(error.expected).match(expected);
      expect(error.actual).match(/\w/);
    });

  it("a compile error, with the file, line and text", async () => {
    const broken = defineKernel({
      ...scaleKernel,
      name: "spec.broken",
      source: new URL("./data/broken.wgsl", import.meta.url),
      params: { count: "u32", scale: "f32" },
      constants: {},
      workgroups: () => [1],
    });
    const [x, y] = [gpu.tensor("f32", [4], "x"), gpu.tensor("f32", [4], "y")];
    const error = await engineErrorOf(() => gpu.runKernel(broken, { x, y }, { count: 4, scale: 1 }));
    expect(error.code).equal("shader");
    expect(error.where).match(/^spec\.broken \(data\/broken\.wgsl:11:\d+\)$/);
    expect(error.problem).match(/undeclared_name.* in `y\[i\] = undeclared_name \* x\[i\];`$/s);
    expect(error.toLine()).not.include("\n");
    x.dispose();
    y.dispose();
  });

  it("a compile error of a program that runs only later", async () => {
    const broken: AnyKernel = {
      ...scaleKernel,
      name: "spec.broken later",
      source: new URL("./data/broken.wgsl", import.meta.url),
      params: { count: "u32", scale: "f32" },
      constants: {},
    };
    const [x, y] = [gpu.tensor("f32", [4], "x"), gpu.tensor("f32", [4], "y")];
    const program = gpu.program("later");
    program.dispatch(broken, { x, y }, { count: 4, scale: 1 });
    await engineErrorOf(() => gpu.pipelines.get(broken, "f32", {}));
    await new Promise((resolve) => setTimeout(resolve, 10)); // Node reports unhandled rejections after the microtasks.
    expect(await engineErrorOf(() => program.run())).include({ code: "shader" });
    program.dispose();
    x.dispose();
    y.dispose();
  });

  it("a program disposed of while it compiles, which leaves nothing behind", async () => {
    const [x, y] = [gpu.tensor("f32", [1], "x"), gpu.tensor("f32", [1], "y")];
    const program = gpu.program("compiling");
    program.dispatch(scaleKernel, { x, y }, { count: 1, shift: 0, scale: 1 });
    const ready = engineErrorOf(() => program.ready());
    program.dispose();
    expect(await ready).include({ code: "internal", where: "compiling" });
    x.dispose();
    y.dispose();
  });

  it("a compile error behind preludes, by its line in its own file", async () => {
    const broken: AnyKernel = {
      ...scaleKernel,
      name: "spec.broken behind a prelude",
      preludes: [new URL("../../kernels/matmul/preludes/gelu.wgsl", import.meta.url)],
      source: new URL("./data/broken.wgsl", import.meta.url),
      params: { count: "u32", scale: "f32" },
      constants: {},
    };
    const error = await engineErrorOf(() => gpu.pipelines.get(broken, "f32", {}));
    expect(error.where).match(/\(data\/broken\.wgsl:11:\d+\)$/);
  });

  it("a feature that the device lacks", async () => {
    const kernel: AnyKernel = { ...scaleKernel, name: "spec.feature", features: ["no-such-feature" as GPUFeatureName] };
    const error = await engineErrorOf(() => gpu.pipelines.get(kernel, "f32", { offset: 0 }));
    expect(error).include({ code: "limit", where: "spec.feature" });
    expect(error.message).match(/no-such-feature/);
  });

  it("a tensor that is too large to bind", async () => {
    const most = Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize);
    const error = await engineErrorOf(() => gpu.tensor("f32", [most / 4 + 1], "model.wte"));
    expect(error).include({ code: "limit", expected: `at most ${most} bytes`, actual: `${most + 4} bytes` });
    expect(error.where).match(/^model\.wte on /);
    expect(error.fix).match(/f16/);
  });

  it("host data that does not fit its tensor, without leaking the tensor", async () => {
    const error = await engineErrorOf(() => gpu.tensorFrom("f32", [2, 3], new Float32Array(5), "model.bias"));
    expect(error).include({
      code: "shape",
      where: "model.bias",
      expected: "24 bytes for f32[2, 3]",
      actual: "20 bytes",
    });
  });

  it("a write past the end of a tensor", async () => {
    const tensor = gpu.tensor("u32", [3], "state");
    const error = await engineErrorOf(() => tensor.write(new Uint32Array(2), 2));
    expect(error).include({ code: "shape", where: "state", expected: "at most 1 words", actual: "2 words" });
    tensor.dispose();
  });

  it("a dispatch of more workgroups than the device allows", async () => {
    const [x, y] = [gpu.tensor("f32", [1], "x"), gpu.tensor("f32", [1], "y")];
    const program = gpu.program("huge");
    const count = (gpu.limits.maxComputeWorkgroupsPerDimension + 1) * 64;
    const error = await engineErrorOf(() => program.dispatch(scaleKernel, { x, y }, { count, shift: 0, scale: 1 }));
    expect(error).include({ code: "limit", where: "huge: spec.scale", actual: `[${count / 64}, 1, 1]` });
    x.dispose();
    y.dispose();
  });

  it("weights of one call in two formats", async () => {
    const tensors = {
      ids: gpu.tensor("u32", [1], "ids"),
      table: gpu.tensor("f16", [1, 4], "wte"),
      positions: gpu.tensor("u32", [1], "positions"),
      position_table: gpu.tensor("f32", [1, 4], "wpe"),
      y: gpu.tensor("f32", [1, 4], "y"),
    };
    const params = {
      rows: 1,
      width: 4,
      tables: 1,
      vocabulary: 1,
      id_first: 0,
      id_row_stride: 1,
      id_table_stride: 0,
      has_positions: 1,
      position_first: 0,
      position_stride: 1,
    };
    const program = gpu.program("mixed");
    const error = await engineErrorOf(() => program.dispatch(embeddingKernel, tensors, params));
    expect(error).include({ code: "internal", where: "embedding.position_table: wpe", expected: "f16", actual: "f32" });
    for (const tensor of Object.values<Tensor>(tensors)) tensor.dispose();
  });

  it("a tensor that was disposed, and a program that was", async () => {
    const [x, y] = [gpu.tensor("f32", [1], "gone"), gpu.tensor("f32", [1], "y")];
    const params = { count: 1, shift: 0, scale: 1 };
    const program = gpu.program("late");
    program.dispatch(scaleKernel, { x, y }, params);
    program.dispose();
    expect(await engineErrorOf(() => program.run())).include({ code: "internal", where: "late" });
    x.dispose();
    const error = await engineErrorOf(() => gpu.program("later").dispatch(scaleKernel, { x, y }, params));
    expect(error).include({ code: "internal", where: "spec.scale.x: gone" });
    y.dispose();
  });
});

describe("a lost device", () => {
  it("rejects what is pending and what comes later, and says what to do", async () => {
    const gpu = await openGpu();
    const [x, y] = [gpu.tensorFrom("f32", [1], Float32Array.of(2), "x"), gpu.tensor("f32", [1], "y")];
    const program = gpu.program("work");
    program.dispatch(scaleKernel, { x, y }, { count: 1, shift: 0, scale: 3 });
    await program.run();
    expect(Array.from(await y.read())).deep.equal([6]);

    const pending = engineErrorOf(() => y.read());
    gpu.device.destroy();
    expect(await pending).include({ code: "device-lost", where: gpu.adapterName });
    expect((await pending).fix).match(/load the model again/);
    for (const later of [() => program.run(), () => y.read(), () => gpu.idle(), () => gpu.check()])
      expect(await engineErrorOf(later)).include({ code: "device-lost" });
  });

  it("is not the same as disposing of a Gpu, of which pending waits hear", async () => {
    const gpu = await openGpu();
    const x = gpu.tensorFrom("f32", [1], Float32Array.of(2), "x");
    expect(Array.from(await x.read())).deep.equal([2]);
    x.dispose();
    gpu.dispose();
    expect(gpu.ledger.bytes).equal(0);
    expect(await engineErrorOf(() => gpu.idle())).include({ code: "usage", problem: "the GPU device was disposed" });
  });
});
