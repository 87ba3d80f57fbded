import { expect } from "chai";
import type { Device } from "../../engine/device/device.ts";
import { chooseLayernorm, chooseMatmul, chooseNormedMatmul } from "../../kernels/choose.ts";

/** What choose.ts asks of a device, for one that has everything. */
function deviceCalled(adapterName: string, isSoftware: boolean, features: readonly string[] = ["subgroups"]): Device {
  const given = { adapterName, isSoftware, features: new Set(features), versions: new Map(), supports: () => true };
  return given as unknown as Device;
}

const lavapipe = deviceCalled("llvmpipe", true);
const swiftShader = deviceCalled("SwiftShader driver 5.0.0", true);
const chromium = deviceCalled("google", true);
const deno = deviceCalled("SwiftShader Device", true, []);
const card = deviceCalled("NVIDIA", false);

describe("the choice among versions", () => {
  it("of a product of one row: shuffles help software adapters, but not SwiftShader in Node where many columns are read", () => {
    for (const [device, few, many] of [
      [lavapipe, "gemv_shuffle", "gemv_shuffle"],
      [swiftShader, "gemv_shuffle", "gemv"],
      [chromium, "gemv_shuffle", "gemv_shuffle"],
      [deno, "gemv", "gemv"],
      [card, "gemv_split", "gemv_split"],
    ] as const)
      expect([chooseMatmul(device, 1, 768, 192), chooseMatmul(device, 1, 768, 768)], device.adapterName).deep.equal([
        few,
        many,
      ]);
    // Four rows share what they read.
    expect(chooseMatmul(swiftShader, 4, 768, 768)).equal("gemv_broadcast");
  });

  it("of a product of one row behind a layer norm, whose sums over lanes need shuffles", () => {
    for (const device of [lavapipe, swiftShader, chromium])
      expect(chooseNormedMatmul(device, 1, 768), device.adapterName).equal("gemv_shuffle");
    expect(chooseNormedMatmul(deno, 1, 768)).equal("gemv");
    expect(chooseNormedMatmul(swiftShader, 5, 768)).equal(undefined);
  });

  it("of a width that is no multiple of four", () => {
    expect(chooseMatmul(swiftShader, 1, 770, 768)).equal("plain");
    expect([chooseLayernorm(lavapipe, 768), chooseLayernorm(lavapipe, 770)]).deep.equal(["thread", "workgroup"]);
    expect(chooseLayernorm(card, 768)).equal("workgroup");
  });
});
