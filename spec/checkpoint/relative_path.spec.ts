import { expect } from "chai";
import { relativePath } from "../../checkpoint/relative_path.ts";

describe("relativePath", () => {
  it("gives forward slashes", () => {
    for (const [path, relative] of [
      ["a/b.npy", "a/b.npy"],
      ["a\\b\\c.npy", "a/b/c.npy"],
      ["./a/../b", "./a/../b"],
      ["..a/b", "..a/b"],
    ])
      expect(relativePath(path), path).to.equal(relative);
  });

  it("has none for what leads out", () => {
    for (const path of [
      "..",
      "a/../..",
      "..\\a",
      "a\\..\\..\\b",
      "/a",
      "\\a",
      "\\\\host\\a",
      "C:\\a",
      "c:a",
      "http://h/a",
    ])
      expect(relativePath(path), path).to.equal(undefined);
  });
});
