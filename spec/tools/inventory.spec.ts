import { createHash } from "node:crypto";
import { expect } from "chai";
import { barkInventory, barkSizes } from "../../tools/inventory.ts";

describe("inventory of the published checkpoints", () => {
  // Fingerprints of bark-spec appendix A; that of bark-small was taken from the published file.
  const known = {
    small: { tensors: 542, hash: "2d533d2e10a325c74123bfefbceeef42503a6a5aecdbdddcf2047c76807f7b1c" },
    large: { tensors: 806, hash: "97f4ae12a6d130bcdb3d2751c9b8bc1f344035b93b4b036c5f117143c35944f5" },
  };
  for (const size of ["small", "large"] as const)
    it(`lists every tensor of Bark ${size}`, () => {
      const tensors = barkInventory(barkSizes[size]);
      const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
      const lines = sorted.map(({ name, dtype, shape }) => `${name}|${dtype}|${shape.join("x")}`);
      expect(tensors).to.have.length(known[size].tensors);
      expect(createHash("sha256").update(lines.join("\n")).digest("hex")).equal(known[size].hash);
    });
});
