import type { Gpu } from "../engine/gpu.ts";
import type { Dtype, HostArray, Tensor } from "../engine/tensor.ts";
import { lstmChunk, type LstmBuffers } from "../kernels/lstm/lstm.ts";
import { EncodecLSTM, type Activations, type Block } from "./layers.ts";
import type { Recorder } from "../engine/recorder.ts";

/** Tensors that live as long as one call of the codec. */
export class Scratch {
  readonly gpu: Gpu;
  readonly #tensors: Tensor[] = [];

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  tensor<D extends Dtype>(dtype: D, size: number, label: string): Tensor<D> {
    return this.#keep(this.gpu.tensor(dtype, [size], `codec ${label}`));
  }

  tensorFrom<D extends Dtype>(dtype: D, values: HostArray, label: string): Tensor<D> {
    return this.#keep(this.gpu.tensorFrom(dtype, [values.length], values, `codec ${label}`));
  }

  dispose(): void {
    for (const tensor of this.#tensors) tensor.dispose();
  }

  #keep<T extends Tensor>(tensor: T): T {
    this.#tensors.push(tensor);
    return tensor;
  }
}

/** Buffers for walks of up to `length` rows of `width` values through the blocks. */
export function activationsFor(blocks: readonly Block[], length: number, width: number, scratch: Scratch): Activations {
  const sizes = { outer: length * width, inner: 1 };
  let lstm: LstmBuffers | undefined;
  let rows = length;
  for (const block of blocks) {
    sizes.inner = Math.max(sizes.inner, block.innerSize(rows));
    rows = block.outLength(rows);
    sizes.outer = Math.max(sizes.outer, rows * block.outChannels);
    if (block instanceof EncodecLSTM) lstm = lstmBuffers(scratch, rows, block.outChannels);
  }
  return {
    x: scratch.tensor("f32", sizes.outer, "x"),
    spare: scratch.tensor("f32", sizes.outer, "spare"),
    inner: scratch.tensor("f32", sizes.inner, "inner"),
    lstm,
    length,
  };
}

function lstmBuffers(scratch: Scratch, steps: number, hidden: number): LstmBuffers {
  const gates = () => scratch.tensor("f32", lstmChunk * 4 * hidden, "gates");
  return {
    gates: [gates(), gates()],
    h: scratch.tensor("f32", 2 * steps * hidden, "h"),
    c: scratch.tensor("f32", 2 * hidden, "c"),
  };
}

/** Records the blocks one after another; the result is `x` of what it returns, of `length` rows. */
export function walk(blocks: readonly Block[], recorder: Recorder, start: Activations): Activations {
  return blocks.reduce((activations, block) => block.record(recorder, activations), start);
}

/** [rows, columns] -> [columns, rows] */
export function transpose(values: Float32Array<ArrayBuffer>, rows: number, columns: number): Float32Array<ArrayBuffer> {
  if (rows === 1 || columns === 1) return values;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column];
  return result;
}
