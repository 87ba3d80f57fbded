import { checkShape } from "./read_tensor.ts";
import type { TensorReader } from "./tensor_reader.ts";

/** What transformers fills a tensor with in a model that is made from a configuration. */
export type Initial =
  /** A normal distribution around 0 with this standard deviation. */
  | { readonly normal: number }
  /** Evenly from minus this to this. */
  | { readonly uniform: number }
  | { readonly constant: number }
  /** The norm of each row of the tensor of this name. */
  | { readonly rowNorms: string };

/** A tensor that a model reads: under the first of these names that the checkpoint has. */
export interface ExpectedTensor {
  readonly names: readonly string[];
  readonly shape: readonly number[];
  /** A checkpoint may lack it. */
  readonly optional?: true;
  /** Absent if a new model has no tensor of its own here: the tensor is tied to another one. */
  readonly initial?: Initial;
  /** Its name in what transformers writes today, if that is not the first. */
  readonly newName?: string;
}

/**
 * Checks names and shapes against a config; reads no weights. It stops at the first missing tensor, so a config with
 * 10^9 layers fails at once.
 * @throws EngineError `bad-input` naming a missing or misshapen tensor.
 */
export function checkTensors(reader: TensorReader, prefix: string, tensors: Iterable<ExpectedTensor>): void {
  for (const { names, shape, optional } of tensors) {
    const name = names.find((candidate) => reader.has(prefix + candidate));
    if (name !== undefined || optional !== true) checkShape(reader, prefix + (name ?? names[0]), shape);
  }
}

/** The same tensors under longer names. */
export function* withPrefix(prefix: string, tensors: Iterable<ExpectedTensor>): Generator<ExpectedTensor> {
  for (const { names, initial, newName, ...rest } of tensors)
    yield {
      ...rest,
      names: names.map((name) => prefix + name),
      ...(newName === undefined ? {} : { newName: prefix + newName }),
      ...(initial === undefined
        ? {}
        : { initial: "rowNorms" in initial ? { rowNorms: prefix + initial.rowNorms } : initial }),
    };
}
