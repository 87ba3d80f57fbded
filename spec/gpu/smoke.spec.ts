import { expect } from "chai";
import { getGpuHost } from "../../engine/device/host.ts";
import { openRepositoryStore, readRepositoryFile } from "../support/runtime.ts";

describe("platform", () => {
  it("opens an adapter whose device runs a kernel from a .wgsl file", async () => {
    const { adapter } = await getGpuHost().openAdapter({});
    const device = await adapter.requestDevice();
    const code = await getGpuHost().readText(new URL("./smoke.wgsl", import.meta.url));
    const x = Float32Array.from({ length: 100 }, (_, i) => i / 8 - 3);
    const y = await runSmokeKernel(device, code, x);
    device.destroy();
    expect(Array.from(y)).to.deep.equal(Array.from(x, (value, i) => value * value + i));
  });

  it("opens a fresh adapter each time, since a device consumes it", async () => {
    const devices: GPUDevice[] = [];
    for (let i = 0; i < 2; i++) {
      const { adapter } = await getGpuHost().openAdapter({});
      devices.push(await adapter.requestDevice());
    }
    expect(devices[0]).to.not.equal(devices[1]);
    for (const device of devices) device.destroy();
  });

  it("opens the software adapter by its name", async () => {
    const { adapter } = await getGpuHost().openAdapter({ device: "software" });
    expect(adapter.info.isFallbackAdapter).to.equal(true);
  });

  it("refuses an unknown adapter's name, and lists the known ones", async () => {
    const refused = await getGpuHost()
      .openAdapter({ device: "no such adapter" })
      .catch((error: unknown) => error);
    expect(refused).to.include({ code: "no-adapter", expected: "no such adapter" });
    expect((refused as { actual: string }).actual).to.match(/\w/);
  });

  it("reads the checkpoint beside the engine by range", async () => {
    const path = "models/nano/config.json";
    const whole = await readRepositoryFile(path);
    const source = await (await openRepositoryStore("models/nano")).open("config.json");
    expect(source?.size).to.equal(whole.length);
    expect(Array.from(await source!.read(5, 20))).to.deep.equal(Array.from(whole.subarray(5, 25)));
    await source!.close();
  });
});

async function runSmokeKernel(device: GPUDevice, code: string, x: Float32Array<ArrayBuffer>): Promise<Float32Array> {
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const input = device.createBuffer({ size: x.byteLength, usage: STORAGE | COPY_DST });
  const output = device.createBuffer({ size: x.byteLength, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ size: x.byteLength, usage: MAP_READ | COPY_DST });
  device.queue.writeBuffer(input, 0, x);
  const module = device.createShaderModule({ code, label: "smoke.wgsl" });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [input, output].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(Math.ceil(x.length / 64));
  pass.end();
  encoder.copyBufferToBuffer(output, 0, staging, 0, x.byteLength);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  return new Float32Array(staging.getMappedRange().slice(0));
}
