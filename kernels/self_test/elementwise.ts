import { add, elementwise } from "../elementwise/elementwise.ts";
import { addReference, eluReference } from "../elementwise/reference.ts";
import { rounding, type Case } from "./case.ts";
import { noise } from "./noise.ts";

/** y = elu(x + y). */
const sum: Case = {
  kernel: elementwise,
  tolerance: rounding,
  record(bench) {
    const [x, before] = [noise(133, 1, 2), noise(133, 2, 2)];
    const y = bench.f32(before);
    add(bench.commands, bench.f32(x), y, { elu: true });
    return [[y, eluReference(addReference(x, before))]];
  },
};

export const elementwiseCases = [sum];
