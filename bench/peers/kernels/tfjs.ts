import type { Operation } from "../../kernels/cases/operation.ts";
import type { Tf, TfTensor } from "../engines/tfjs.ts";
import { CapturingDevice } from "./capture.ts";
import type { Libraries } from "./libraries.ts";
import { byHead, causalMask, resultLength } from "./layouts.ts";
import { RecordedPeer, type PreparedOperation } from "./recorded_peer.ts";

/** Kernels of tfjs's WebGPU backend. */
export async function tfjsPeer({ openAdapter, tf: load }: Libraries): Promise<RecordedPeer> {
  let tf: Tf;
  const capturing = await CapturingDevice.during(openAdapter, async () => {
    // Only here: its backend registers where there is a `navigator.gpu`.
    tf = await load();
    if (!(await tf.setBackend("webgpu"))) throw new Error("its WebGPU backend does not start here");
    await tf.ready();
  });
  return new RecordedPeer("tfjs", capturing, (operation) => Promise.resolve(prepare(tf, operation)));
}

function prepare(tf: Tf, operation: Operation): PreparedOperation {
  const held: TfTensor[] = [];
  const hold = (tensor: TfTensor): TfTensor => {
    held.push(tensor);
    return tensor;
  };
  const forward = forwardOf(tf, operation, hold);
  return {
    run: () => {
      const y = hold(tf.tidy(forward));
      return Promise.resolve(() => y.data());
    },
    dispose: () => {
      for (const tensor of held) tensor.dispose();
    },
  };
}

/** @param hold keeps an operand. */
function forwardOf(tf: Tf, operation: Operation, hold: (tensor: TfTensor) => TfTensor): () => TfTensor {
  const operand = (values: Float32Array, shape: readonly number[]): TfTensor => hold(tf.tensor(values, shape));
  // Numbers that an op is given go to the GPU with each call, and their buffers serve for something else behind it.
  const scalar = (value: number): TfTensor => operand(Float32Array.of(value), []);
  const epsilon = scalar(1e-5);
  const norm = (x: TfTensor, weight: TfTensor): TfTensor => {
    const { mean, variance } = tf.moments(x, -1, true);
    return tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon))), weight);
  };
  if (operation.kind === "layernorm") {
    const { rows, width } = operation;
    const [x, weight] = [operand(operation.x, [rows, width]), operand(operation.weight, [width])];
    return () => norm(x, weight);
  }
  if (operation.kind === "embedding") {
    const { rows, width, vocabulary, tables, places, positions } = operation;
    const idsOf = (ids: Int32Array): TfTensor => hold(tf.tensor(ids, [rows], "int32"));
    const gathers = tables.map(({ table, ids }) => [operand(table, [vocabulary, width]), idsOf(ids)] as const);
    const place = Int32Array.from({ length: rows }, (_, row) => row);
    gathers.push([operand(positions, [places, width]), idsOf(place)]);
    // Its kernel for sums of many binds more buffers than the device that it opens allows.
    return () => gathers.map(([table, ids]) => tf.gather(table, ids)).reduce((sum, entries) => tf.add(sum, entries));
  }
  if (operation.kind === "matmul") {
    const { rows, inner, columns, normWeight, gelu } = operation;
    const x = operand(operation.x, [rows, inner]);
    const weight = hold(tf.transpose(operand(operation.weight, [columns, inner]), [1, 0]));
    const scale = normWeight && operand(normWeight, [inner]);
    const residual = operation.residual ? hold(tf.zeros([rows, columns])) : undefined;
    const [half, one, root] = [0.5, 1, Math.SQRT1_2].map(scalar);
    return () => {
      let y = tf.matMul(scale === undefined ? x : norm(x, scale), weight);
      if (gelu) y = tf.mul(tf.mul(y, half), tf.add(tf.erf(tf.mul(y, root)), one));
      return residual === undefined ? y : tf.add(residual, y);
    };
  }
  if (operation.kind === "attention") {
    const { rows, past, heads, headDim, causal } = operation;
    const qkv = operand(operation.qkv, [rows, 3 * heads * headDim]);
    const pasts = [operation.pastK, operation.pastV].map((values) =>
      past > 0 ? operand(byHead(values, past, heads, headDim), [heads, past, headDim]) : undefined,
    );
    const mask = causal ? operand(causalMask(rows), [rows, rows]) : undefined;
    const scale = scalar(1 / Math.sqrt(headDim));
    const headsFirst = (x: TfTensor): TfTensor => tf.transpose(tf.reshape(x, [rows, heads, headDim]), [1, 0, 2]);
    return () => {
      const [q, ...newest] = tf.split(qkv, 3, -1).map(headsFirst);
      const [k, v] = pasts.map((old, i) => (old === undefined ? newest[i] : tf.concat([old, newest[i]], 1)));
      let scores = tf.mul(tf.matMul(q, k, false, true), scale);
      if (mask !== undefined) scores = tf.add(scores, mask);
      return tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores, -1), v), [1, 0, 2]), [rows, heads * headDim]);
    };
  }
  const { inChannels, outChannels, kernelSize, stride, length } = operation;
  const bias = operand(operation.bias, [outChannels]);
  if (operation.kind === "conv1d") {
    const x = operand(operation.x, [1, length, inChannels]);
    // torch has [out, in, width] and tfjs the reverse.
    const filter = hold(tf.transpose(operand(operation.weight, [outChannels, inChannels, kernelSize]), [2, 1, 0]));
    const paddings = [
      [0, 0],
      [kernelSize - 1, 0],
      [0, 0],
    ];
    return () => {
      const padded = kernelSize > 1 ? tf.mirrorPad(x, paddings, "reflect") : x;
      return tf.elu(tf.add(tf.conv1d(padded, filter, 1, "valid"), bias));
    };
  }
  const x = operand(operation.x, [1, 1, length, inChannels]);
  const reversed = tf.transpose(operand(operation.weight, [inChannels, outChannels, kernelSize]), [2, 1, 0]);
  const filter = hold(tf.reshape(hold(reversed), [1, kernelSize, outChannels, inChannels]));
  const untrimmed = [1, 1, (length + 1) * stride, outChannels];
  return () => {
    const up = tf.conv2dTranspose(x, filter, untrimmed, [1, stride], "valid");
    const trimmed = tf.slice(up, [0, 0, 0, 0], [1, 1, resultLength(operation), outChannels]);
    return tf.elu(tf.add(trimmed, bias));
  };
}
