import { createCodebook, nearestEntries } from "../codebook/codebook.ts";
import { nearestReference } from "../codebook/reference.ts";
import { codebookNearest } from "../codebook/versions.ts";
import { rounding, type SelfTestCase } from "./case.ts";
import { noise } from "./noise.ts";

/** The nearest of 23 entries to each of 35 rows; the scores come from a product, as in the model. */
const nearest: SelfTestCase = {
  kernel: codebookNearest,
  tolerance: rounding,
  record(scope) {
    const [rows, size, width] = [35, 23, 5];
    const x = noise(rows * width, 1);
    const entries = noise(size * width, 2);

    const codebook = createCodebook(scope, entries, size, width, "self test");
    const codes = scope.u32(new Uint32Array(rows));
    const residual = scope.f32(x);
    const scores = scope.f32(new Float32Array(rows * size));
    nearestEntries(scope.commands, residual, rows, codebook, { scores, codes });

    const expected = nearestReference(x, entries, width);
    return [
      [codes, expected.codes],
      [residual, expected.residual],
    ];
  },
};

export const codebookCases = [nearest];
