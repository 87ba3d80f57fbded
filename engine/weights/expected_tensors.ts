import { checkShape } from "./read_tensor.ts";
import type { TensorReader } from "./tensor_reader.ts";

/** A tensor that a model reads: under the first of these names that the checkpoint has. */
export interface ExpectedTensor {
  readonly names: readonly string[];
  readonly shape: readonly number[];
}

/**
 * Holds names and shapes against what a config asks for; reads no weights. The first that is missing ends it, so that
 * what a config says of 10^9 layers is told at once, if the tensors are listed one by one.
 * @throws EngineError `bad-input` naming a missing or misshapen tensor.
 */
export function checkTensors(reader: TensorReader, prefix: string, tensors: Iterable<ExpectedTensor>): void {
  for (const { names, shape } of tensors) {
    const name = names.find((candidate) => reader.has(prefix + candidate)) ?? names[0];
    checkShape(reader, prefix + name, shape);
  }
}
