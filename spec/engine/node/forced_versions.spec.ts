import { expect } from "chai";
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
