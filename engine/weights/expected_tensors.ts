import { checkShape } from "./read_tensor.ts";
import type { TensorReader } from "./tensor_reader.ts";

/** A tensor that a model reads: under the first of these names that the checkpoint has. */
export interface ExpectedTensor {
  readonly names: readonly string[];
  readonly shape: readonly number[];
}

/**
 * Checks names and shapes against a config; reads no weights. It stops at the first missing tensor, so a config with
 * 10^9 layers fails at once.
 * @throws EngineError `bad-input` naming a missing or misshapen tensor.
 */
export function checkTensors(reader: TensorReader, prefix: string, tensors: Iterable<ExpectedTensor>): void {
  for (const { names, shape } of tensors) {
    const name = names.find((candidate) => reader.has(prefix + candidate)) ?? names[0];
    checkShape(reader, prefix + name, shape);
  }
}
