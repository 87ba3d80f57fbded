import { EngineError } from "../errors.ts";
import type { TensorReader } from "./tensor_reader.ts";

/** A tensor as a model needs it. @throws EngineError `bad-input` if it is missing, misshapen or not finite. */
export async function readTensor(
  reader: TensorReader,
  name: string,
  shape: readonly number[],
): Promise<Float32Array<ArrayBuffer>> {
  checkShape(reader, name, shape);
  const values = await reader.readFloat32(name);
  checkFinite(reader, name, values);
  return values;
}

/**
 * {@link readTensor} of a matrix or a convolution, which no training leaves at zero: a hole that a broken download left
 * in the file reads as zeros. @throws EngineError `bad-input`.
 */
export async function readWeight(
  reader: TensorReader,
  name: string,
  shape: readonly number[],
): Promise<Float32Array<ArrayBuffer>> {
  const values = await readTensor(reader, name, shape);
  checkNotZero(reader, name, values);
  return values;
}

/** @throws EngineError `bad-input` if the tensor is missing or its shape is not `shape`. */
export function checkShape(reader: TensorReader, name: string, shape: readonly number[]): void {
  const found = reader.info(name);
  if (found.shape.length === shape.length && shape.every((extent, i) => extent === found.shape[i])) return;
  throw new EngineError("bad-input", `tensor ${name} does not fit config.json`, {
    where: found.file,
    expected: `[${shape.join(", ")}]`,
    actual: `[${found.shape.join(", ")}]`,
    fix: "check that config.json and the weights belong together",
  });
}

/**
 * One NaN among the weights makes the whole utterance NaN, and nothing later can say where it came from.
 * @throws EngineError `bad-input` naming the tensor.
 */
export function checkFinite(reader: TensorReader, name: string, values: Float32Array, verb = "holds"): void {
  if (areFinite(values)) return;
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  throw damaged(reader, name, `${verb} ${values[wrong]} at ${wrong}`);
}

/**
 * A number times 0 is 0; infinity and NaN times 0 are NaN. Four sums that do not wait for each other take 0.7 to 1 ns a
 * value, a test of each value 1.6 to 2.
 */
function areFinite(values: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += values[i] * 0;
    b += values[i + 1] * 0;
    c += values[i + 2] * 0;
    d += values[i + 3] * 0;
  }
  for (let i = whole; i < values.length; i++) a += values[i] * 0;
  return a + b + c + d === 0;
}

/** @throws EngineError `bad-input` naming the tensor. */
export function checkNotZero(reader: TensorReader, name: string, values: Float32Array): void {
  if (values.length > 0 && values.every((value) => value === 0)) throw damaged(reader, name, "holds nothing but zeros");
}

function damaged(reader: TensorReader, name: string, problem: string): EngineError {
  return new EngineError("bad-input", `tensor ${name} ${problem}`, {
    where: reader.info(name).file,
    fix: "the file is damaged: download or convert the checkpoint again",
  });
}
