import { recordSmallBlocks } from "../decode_blocks/resident.ts";
import { resident } from "../decode_blocks/versions.ts";
import { rounding, type SelfTestCase } from "./case.ts";

/** One workgroup, which meets nobody: every adapter can run it. */
export const decodeBlocksCases: readonly SelfTestCase[] = [
  {
    kernel: resident,
    // Two blocks one behind the other, of values up to some dozens.
    tolerance: 10 * rounding,
    record: (scope) => recordSmallBlocks(scope, scope.commands, scope.matrixFormat, { groups: 1 }).outputs,
  },
];
