import type { Scope } from "../engine/scope.ts";
import { lstmChunk, type LstmBuffers } from "../kernels/lstm/lstm.ts";
import { EncodecLSTM, type Activations, type Block } from "./layers.ts";
import type { Recorder } from "../engine/program/recorder.ts";

/** Buffers for walks of up to `length` rows of `width` values through the blocks. */
export function activationsFor(blocks: readonly Block[], length: number, width: number, scope: Scope): Activations {
  const sizes = { outer: length * width, inner: 1 };
  let lstm: LstmBuffers | undefined;
  let rows = length;
  for (const block of blocks) {
    sizes.inner = Math.max(sizes.inner, block.innerSize(rows));
    rows = block.outLength(rows);
    sizes.outer = Math.max(sizes.outer, rows * block.outChannels);
    if (block instanceof EncodecLSTM) lstm = lstmBuffers(scope, rows, block.outChannels);
  }
  return {
    x: scope.tensor("f32", [sizes.outer], "codec x"),
    spare: scope.tensor("f32", [sizes.outer], "codec spare"),
    inner: scope.tensor("f32", [sizes.inner], "codec inner"),
    lstm,
    length,
  };
}

function lstmBuffers(scope: Scope, steps: number, hidden: number): LstmBuffers {
  const gates = () => scope.tensor("f32", [lstmChunk * 4 * hidden], "codec gates");
  return {
    gates: [gates(), gates()],
    h: scope.tensor("f32", [2 * steps * hidden], "codec h"),
    c: scope.tensor("f32", [2 * hidden], "codec c"),
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
