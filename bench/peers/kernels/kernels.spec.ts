import { expect } from "chai";
import { readFileSync } from "node:fs";
import "../../../engine/node/index.ts";
import { matmulCase } from "../../kernels/cases/matmul.ts";
import { Scope, type KernelCase } from "../../kernels/cases/case.ts";
import type { EmbeddingOperation, MatmulOperation, Operation } from "../../kernels/cases/operation.ts";
import { embeddingCase } from "../../kernels/cases/row_ops.ts";
import { measureApart } from "../../kernels/process/measure.ts";
import { startModule } from "../../kernels/process/start_child.ts";
import { runCase, type KernelResult } from "../../kernels/run.ts";
import { smokeEffort } from "../../measure/stopwatch.ts";
import { openGpu, type Gpu } from "../../../engine/gpu.ts";
import { CapturingDevice } from "./capture.ts";
import { adapterOf } from "./node_libraries.ts";
import { partsOf, RecordedPeer, type PreparedOperation } from "./recorded_peer.ts";

/** An engine that dispatches a product in two parts, through one uniform buffer. */
const shader = readFileSync(new URL("./product_in_parts.wgsl", import.meta.url), "utf8");

/** @param wrong leaves the second part out. */
function engineOf(device: GPUDevice, wrong: boolean): (operation: MatmulOperation) => PreparedOperation {
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ, UNIFORM } = GPUBufferUsage;
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code: shader }) },
  });
  const upload = (values: Float32Array<ArrayBuffer>): GPUBuffer => {
    const buffer = device.createBuffer({ size: values.byteLength, usage: STORAGE | COPY_DST });
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  };
  const uniform = device.createBuffer({ size: 16, usage: UNIFORM | COPY_DST });
  return ({ inner, columns, x, weight }) => {
    const [input, weights] = [upload(x), upload(weight)];
    const run = async (): Promise<() => Promise<Float32Array>> => {
      const y = device.createBuffer({ size: 4 * columns, usage: STORAGE | COPY_SRC });
      const half = columns / 2;
      for (const first of wrong ? [0] : [0, half]) {
        device.queue.writeBuffer(uniform, 0, Uint32Array.of(inner, columns, first, first + half));
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        const entries = [input, weights, y, uniform].map((buffer, binding) => ({ binding, resource: { buffer } }));
        pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
        pass.dispatchWorkgroups(Math.ceil(half / 64));
        pass.end();
        device.queue.submit([encoder.finish()]);
      }
      await device.queue.onSubmittedWorkDone();
      uniformsOfOthers();
      return async () => {
        const staging = device.createBuffer({ size: 4 * columns, usage: MAP_READ | COPY_DST });
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer(y, 0, staging, 0, 4 * columns);
        device.queue.submit([encoder.finish()]);
        await staging.mapAsync(GPUMapMode.READ);
        return new Float32Array(staging.getMappedRange().slice(0));
      };
    };
    // As an engine whose next op takes the same buffer.
    const uniformsOfOthers = (): void => device.queue.writeBuffer(uniform, 0, new Uint32Array(4));
    return {
      run,
      dispose: () => {
        input.destroy();
        weights.destroy();
      },
    };
  };
}

async function peerOf(wrong: boolean): Promise<RecordedPeer> {
  let engine: ((operation: MatmulOperation) => PreparedOperation) | undefined;
  const previous = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const capturing = await CapturingDevice.during(adapterOf(undefined), async () => {
    const adapter = await navigator.gpu.requestAdapter();
    engine = engineOf(await adapter!.requestDevice(), wrong);
  });
  if (previous !== undefined) Object.defineProperty(globalThis, "navigator", previous);
  return new RecordedPeer("one of ours", capturing, async (operation) => {
    if (operation.kind !== "matmul") throw new Error("it has products alone\nand no stack for people");
    return await Promise.resolve(engine!(operation));
  });
}

describe("bench peers kernels", () => {
  const small: KernelCase = { ...matmulCase({ name: "small", inner: 32, columns: 48 }, 1), versions: ["plain"] };
  let gpu: Gpu;
  before(async () => (gpu = await openGpu()));
  after(() => gpu.dispose());

  async function lastRung(
    kernelCase: KernelCase,
    peer: RecordedPeer,
    skip?: ReadonlySet<string>,
  ): Promise<KernelResult> {
    const roofline = { gigabytesPerSecond: 1, gigaflops: 1, dispatchMicroseconds: 1 };
    const options = { format: "f32", roofline, effort: smokeEffort, peers: [peer], ...(skip && { skip }) } as const;
    let last: KernelResult | undefined;
    for await (const result of runCase(gpu, kernelCase, options)) last = result;
    return last!;
  }

  it("replays what an engine dispatched with the uniforms of that time, as the last rung", async () => {
    const peer = await peerOf(false);
    const work = await peer.record(await operationOf(small), 2);
    expect([work.copies, work.dispatches]).deep.equal([2, 2]);
    await work.dispose();
    const rung = await lastRung(small, peer);
    expect(rung).include({ version: "one of ours (peer)", correct: true, chosen: false });
    expect(rung.timing!.milliseconds.median).greaterThan(0);
    peer.device.destroy();
  });

  it("says of an engine that computes something else that it is wrong, and times nothing", async () => {
    const peer = await peerOf(true);
    const rung = await lastRung(small, peer);
    expect(rung).include({ version: "one of ours (peer)", correct: false });
    expect(rung.timing).equal(undefined);
    peer.device.destroy();
  });

  it("gives an engine the tables, ids and positions whose entries are added, and names what it dispatched", async () => {
    const scope = new Scope(gpu, "f32");
    const { operation, check } = await embeddingCase("few", 5, 3, 40).prepare(scope);
    const given = operation!() as EmbeddingOperation;
    const { rows, width, tables, positions } = given;
    const y = Float32Array.from({ length: rows * width }, (_, i) => {
      const [row, column] = [Math.floor(i / width), i % width];
      const entries = tables.map(({ table, ids }) => table[ids[row] * width + column]);
      return entries.reduce((sum, value) => sum + value, positions[row * width + column]);
    });
    const [{ actual, expected }] = await check(y);
    scope.dispose();
    expect(actual.length).equal(rows * width);
    expect(Math.max(...Array.from(actual, (value, i) => Math.abs(value - expected[i])))).lessThan(1e-6);
    expect([7, 5, 1].map((dispatches) => partsOf(given, dispatches))).deep.equal([
      "4 gather + 3 add",
      "4 gather + 1 add",
      "1 dispatched",
    ]);
  });

  it("says of an engine that does not start that there is no figure, and goes on", async () => {
    const notes: string[] = [];
    const { results } = await measureApart(
      startModule(new URL("./child", import.meta.url)),
      { selection: { ops: ["sample"], shape: "greedy", format: "f32" }, device: undefined, own: [], peers: ["nobody"] },
      { limit: 60_000 },
      {
        onMachine: () => undefined,
        onRoofline: () => undefined,
        onResult: () => undefined,
        onNote: (line) => notes.push(line),
      },
    );
    expect(notes.join("\n")).match(/^nobody: no figure: .*$/);
    expect(results.map(({ version, correct }) => [version, correct])).deep.equal([["sample.step", true]]);
  });

  it("leaves out an engine's rung that was had before its process ended, by whatever it dispatched", async () => {
    const [peer, few] = [await peerOf(false), embeddingCase("few", 5, 3, 40)];
    for (const done of ["one of ours (peer)", "one of ours, 2 dispatched (peer)"])
      expect((await lastRung(few, peer, new Set([done]))).version).not.include("(peer)");
    const other = await lastRung(few, peer, new Set(["one of ours and more (peer)"]));
    expect(other).include({ version: "one of ours (peer)", failed: "it has products alone" });
    peer.device.destroy();
  });

  async function operationOf(kernelCase: KernelCase): Promise<Operation> {
    const scope = new Scope(gpu, "f32");
    const { operation } = await kernelCase.prepare(scope);
    scope.dispose();
    return operation!();
  }
});
