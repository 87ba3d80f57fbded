import { expect } from "chai";
import { readdirSync } from "node:fs";
import { loadError } from "../../../engine/node/dawn.ts";
import { adapterAdvice, hasWebGpuBinary, thisMachine, type Machine } from "../../../engine/node/machine.ts";

const machine = (platform: string, arch: string, kind: Partial<Machine> = {}): Machine => ({
  platform,
  arch,
  isMusl: false,
  isDeno: false,
  ...kind,
});
const advice = (of: Machine, hasChromium = false): string => adapterAdvice(of, hasChromium).join("\n");

describe("advice where there is no adapter", () => {
  it("knows the binaries of the npm package webgpu", () => {
    const dist = readdirSync(new URL("../../../node_modules/webgpu/dist", import.meta.url));
    const known = ["linux", "darwin", "win32", "freebsd", "openbsd", "android"].flatMap((platform) =>
      ["x64", "arm64", "arm", "ia32", "riscv64", "ppc64"].map((arch) => machine(platform, arch)),
    );
    const folder = ({ platform, arch }: Machine): string => `${platform}-${platform === "darwin" ? "universal" : arch}`;
    const expected = new Set(known.filter((each) => hasWebGpuBinary(each)).map(folder));
    expect([...expected].sort()).deep.equal(dist.sort());
  });

  it("is a driver on Linux, lavapipe without a GPU, and SwiftShader on x64 alone, where it is not there", () => {
    const [x64, arm64] = [machine("linux", "x64"), machine("linux", "arm64")];
    for (const each of [x64, arm64]) expect(advice(each)).match(/Vulkan driver[^]*lavapipe.*mesa-vulkan-drivers/);
    expect(advice(x64)).match(/npm install @sparticuz\/chromium/);
    for (const text of [advice(arm64), advice(x64, true), advice(machine("linux", "x64", { isDeno: true }))])
      expect(text).not.match(/sparticuz|SwiftShader/);
  });

  it("is another image where there is musl, whose loader refuses what was built for glibc", () => {
    for (const arch of ["x64", "arm64"]) {
      const text = advice(machine("linux", arch, { isMusl: true }));
      expect(text).match(/needs glibc.*node:22-slim in place of node:22-alpine/);
      expect(text).not.match(/apt|npm install|lavapipe/);
    }
  });

  it("is another system where the package has no binary", () => {
    for (const [platform, arch] of [
      ["freebsd", "x64"],
      ["linux", "arm"],
      ["linux", "riscv64"],
      ["win32", "ia32"],
    ]) {
      const text = advice(machine(platform, arch));
      expect(text).match(new RegExp(`no binary for ${platform} on ${arch}.*a browser`));
      expect(text).not.match(/npm install|apt|driver/);
    }
  });

  it("installs nothing on macOS, and no package of Linux on Windows", () => {
    expect(advice(machine("darwin", "arm64"))).match(/Metal/);
    expect(advice(machine("win32", "x64"))).match(/driver of the GPU from its maker/);
    for (const platform of ["darwin", "win32"]) expect(advice(machine(platform, "arm64"))).not.match(/apt|npm|Vulkan/);
  });

  it("tells a package that is missing from one that cannot be here, and one that is broken", () => {
    const missing = Object.assign(new Error("Cannot find package 'webgpu'"), { code: "ERR_MODULE_NOT_FOUND" });
    const broken = new Error("libc.so.6: version `GLIBC_2.34' not found");
    expect(loadError(missing, machine("linux", "x64")).fix).equal("run: npm install webgpu");
    expect(loadError(missing, machine("freebsd", "x64")).fix).match(/no binary for freebsd/);
    expect(loadError(broken, machine("linux", "x64")).toLine()).match(/GLIBC_2.34' not found.*glibc 2.34 or later/);
    expect(loadError(broken, machine("darwin", "arm64")).fix).not.match(/glibc/);
    expect(loadError(broken, machine("linux", "x64", { isMusl: true })).fix).match(/node:22-slim/);
  });

  it("is for this machine", () => {
    const { platform, arch, isDeno } = thisMachine();
    expect([platform, arch, isDeno]).deep.equal([process.platform, process.arch, false]);
  });
});
