import { expect } from "chai";
import { parseVersions } from "../../../engine/node/forced_versions.ts";

describe("BARK_KERNELS", () => {
  it("names versions by op, or none at all", () => {
    expect(parseVersions("gemv=gemv_split,attention_decode=split")).deep.equal({
      gemv: "gemv_split",
      attention_decode: "split",
    });
    expect(parseVersions("static")).equal("static");
  });

  it("forces nothing where it is not set", () => {
    expect(parseVersions(undefined)).equal(undefined);
    expect(parseVersions("")).equal(undefined);
  });

  it("is refused where it cannot be read", () => {
    for (const text of ["gemv", "gemv=a=b", "gemv=gemv_split,"])
      expect(() => parseVersions(text))
        .throw("cannot be read")
        .include({ code: "usage", actual: text });
  });
});
