import { add } from "../elementwise/elementwise.ts";
import { addReference, eluReference } from "../elementwise/reference.ts";
import { elementwise } from "../elementwise/versions.ts";
import { rounding, type SelfTestCase } from "./case.ts";
import { noise } from "./noise.ts";

/** y = elu(x + y). */
const sum: SelfTestCase = {
  kernel: elementwise,
  tolerance: rounding,
  record(scope) {
    const [x, before] = [noise(133, 1, 2), noise(133, 2, 2)];
    const y = scope.f32(before);
    add(scope.commands, scope.f32(x), y, { elu: true });
    return [[y, eluReference(addReference(x, before))]];
  },
};

export const elementwiseCases = [sum];
