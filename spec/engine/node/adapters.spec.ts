import { expect } from "chai";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { getGpuHost } from "../../../engine/device/host.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { listAdapters, nodeGpuHost, openNullAdapter } from "../../../engine/node/index.ts";

const run = promisify(execFile);

describe("adapters in Node", () => {
  it("is the host once imported", () => {
    expect(getGpuHost()).to.equal(nodeGpuHost);
    expect(nodeGpuHost.runtime).to.equal("node");
  });

  it("lists the software adapter with limits and features, after the GPUs", async () => {
    const adapters = await listAdapters();
    const software = adapters.findIndex((adapter) => adapter.software);
    expect(software).to.be.at.least(0);
    expect(adapters.slice(software).every((adapter) => adapter.software)).to.equal(true);
    expect(adapters[software].name).to.match(/\w/);
    expect(adapters[software].limits.maxStorageBufferBindingSize).to.be.at.least(128 * 2 ** 20);
    expect(adapters[software].features).to.include("core-features-and-limits");
  });

  it("never lists nor chooses the null backend", async () => {
    const names = (await listAdapters()).map(({ name, backend }) => `${name} ${backend}`).join();
    expect(names).to.not.match(/null/i);
    expect((await nodeGpuHost.openAdapter({})).adapter.info.device).to.not.equal("null-backend");
  });

  it("compiles on the null adapter, and rejects a wrong shader there", async () => {
    const { adapter } = await openNullAdapter();
    const device = await adapter.requestDevice();
    const compile = async (file: string) => {
      const code = await readFile(new URL(`../../gpu/data/${file}`, import.meta.url), "utf8");
      const module = device.createShaderModule({ code });
      return await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
    };
    await compile("scale.wgsl");
    device.pushErrorScope("validation");
    const error = await compile("broken.wgsl").catch((e: unknown) => e);
    await device.popErrorScope();
    expect(error).to.be.instanceOf(Error);
    device.destroy();
  });

  it("leaves the driver variables as they were", async () => {
    const before = { ...process.env };
    await nodeGpuHost.openAdapter({ device: "software" });
    expect({ ...process.env }).to.deep.equal(before);
  });

  it("finds an adapter by part of its name, in any case", async () => {
    const [{ name }] = (await listAdapters()).slice(-1);
    const { adapter } = await nodeGpuHost.openAdapter({ device: name.slice(1, 8).toUpperCase() });
    expect(adapter.info.isFallbackAdapter).to.equal(true);
  });

  it("stands in with SwiftShader, and says so, where the driver that is named does not exist", async () => {
    expect(await openInChild({ VK_DRIVER_FILES: "/nonexistent/driver.json" })).to.match(
      /^true no GPU driver found: using the software adapter SwiftShader .*\(slow\); `bark doctor` tells/,
    );
  });

  it("names a file of the package that is not there", async () => {
    const error = await engineErrorOf(() => nodeGpuHost.readText(new URL("./none.wgsl", import.meta.url)));
    expect([error.code, error.where]).deep.equal(["io", new URL("./none.wgsl", import.meta.url).href]);
  });

  it("takes the name in BARK_DEVICE", async () => {
    expect(await openInChild({ BARK_DEVICE: "no such adapter" })).to.match(/^no-adapter device: .*no such adapter/);
  });
});

async function openInChild(env: Record<string, string>): Promise<string> {
  const script = `
    import { nodeGpuHost } from "./engine/node/index.ts";
    const line = await nodeGpuHost.openAdapter({}).then(
      ({ adapter, notice }) => adapter.info.isFallbackAdapter + " " + notice,
      (error) => error.code + " " + error.toLine());
    console.log(line);
    process.exit();`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", script];
  const { stdout } = await run(process.execPath, args, { env: { ...process.env, ...env } });
  return stdout.trim();
}
