import { expect } from "chai";
import { parseDawnFeatures } from "../../../engine/node/dawn.ts";
import { parseVersions } from "../../../engine/node/forced_versions.ts";

describe("BARK_KERNELS", () => {
  it("names versions by op", () => {
    expect(parseVersions("gemv=gemv_split,attention_decode=chunks")).deep.equal({
      gemv: "gemv_split",
      attention_decode: "chunks",
    });
  });

  it("forces nothing where it is not set", () => {
    expect(parseVersions(undefined)).equal(undefined);
    expect(parseVersions("")).equal(undefined);
  });

  it("is refused where it cannot be read", () => {
    for (const text of ["static", "gemv", "gemv=a=b", "gemv=gemv_split,"])
      expect(() => parseVersions(text))
        .throw("cannot be read")
        .include({ code: "usage", actual: text });
  });
});

describe("BARK_DAWN_FEATURES", () => {
  it("names features that Dawn hides", () => {
    for (const text of [undefined, ""]) expect(parseDawnFeatures(text)).deep.equal([]);
    expect(parseDawnFeatures("allow_unsafe_apis")).deep.equal(["allow_unsafe_apis"]);
    const both = "allow_unsafe_apis,vulkan_enable_f16_on_nvidia";
    expect(parseDawnFeatures(both)).deep.equal(both.split(","));
  });

  it("is refused with another name, of which Dawn would say nothing", () => {
    expect(() => parseDawnFeatures("allow_unsafe_api"))
      .throw("no such feature of Dawn")
      .include({
        code: "usage",
        where: "BARK_DAWN_FEATURES",
        fix: 'did you mean "allow_unsafe_apis"?',
        actual: "allow_unsafe_api",
      });
    for (const text of ["dump_shaders", "allow_unsafe_apis,", "allow_unsafe_apis, vulkan_enable_f16_on_nvidia"])
      expect(() => parseDawnFeatures(text)).throw("no such feature of Dawn");
  });
});
