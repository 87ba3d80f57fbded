import type { Operation } from "../../kernels/cases/operation.ts";
import type { Jax, JaxArray } from "../engines/jaxjs.ts";
import { CapturingDevice } from "./capture.ts";
import type { Libraries } from "./libraries.ts";
import { byHead, resultLength, transposed } from "./layouts.ts";
import { RecordedPeer, type PreparedOperation } from "./recorded_peer.ts";

type Arrays = Record<string, JaxArray>;

/** Kernels that jax-js makes. */
export async function jaxPeer({ openAdapter, jax: load }: Libraries): Promise<RecordedPeer> {
  const jax = await load();
  const capturing = await CapturingDevice.during(openAdapter, async () => {
    await jax.init("webgpu");
    jax.defaultDevice("webgpu");
  });
  return new RecordedPeer("jax-js", capturing, (operation) => Promise.resolve(prepare(jax, operation)));
}

function prepare(jax: Jax, operation: Operation): PreparedOperation {
  const operands: Arrays = {};
  for (const [name, { values, shape }] of Object.entries(operandsOf(operation)))
    operands[name] = jax.numpy.array(values).reshape(shape);
  const forward = jax.jit(forwardOf(jax, operation));
  // Operations consume their arguments.
  const kept = (): Arrays => Object.fromEntries(Object.entries(operands).map(([name, array]) => [name, array.ref]));
  return {
    run: async () => {
      // It dispatches nothing before somebody wants a result.
      const y = await forward(kept()).blockUntilReady();
      return async () => laidOut(operation, await y.data());
    },
    dispose: () => {
      for (const array of Object.values(operands)) array.dispose();
    },
  };
}

/** Convolutions have channels first. */
function laidOut(operation: Operation, values: Float32Array): Float32Array {
  if (operation.kind !== "conv1d" && operation.kind !== "conv_transpose1d") return values;
  return transposed(values, operation.outChannels, resultLength(operation));
}

interface Operand {
  readonly values: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

function operandsOf(operation: Operation): Record<string, Operand> {
  if (operation.kind === "layernorm") {
    const { rows, width, x, weight } = operation;
    return { x: { values: x, shape: [rows, width] }, scale: { values: weight, shape: [width] } };
  }
  if (operation.kind === "matmul") {
    const { rows, inner, columns, x, weight, normWeight, residual } = operation;
    return {
      x: { values: x, shape: [rows, inner] },
      weight: { values: transposed(weight, columns, inner), shape: [inner, columns] },
      ...(normWeight === undefined ? {} : { scale: { values: normWeight, shape: [inner] } }),
      ...(residual ? { residual: { values: new Float32Array(rows * columns), shape: [rows, columns] } } : {}),
    };
  }
  if (operation.kind === "embedding") {
    const { rows, width, vocabulary, tables, places, positions } = operation;
    const operands: Record<string, Operand> = {
      positions: { values: positions, shape: [places, width] },
      place: { values: Int32Array.from({ length: rows }, (_, row) => row), shape: [rows] },
    };
    for (const [q, { table, ids }] of tables.entries()) {
      operands[`table${q}`] = { values: table, shape: [vocabulary, width] };
      operands[`ids${q}`] = { values: ids, shape: [rows] };
    }
    return operands;
  }
  if (operation.kind === "attention") {
    const { rows, past, heads, headDim, qkv, pastK, pastV } = operation;
    const shape = [heads, past, headDim];
    const pasts = {
      pastK: { values: byHead(pastK, past, heads, headDim), shape },
      pastV: { values: byHead(pastV, past, heads, headDim), shape },
    };
    return { qkv: { values: qkv, shape: [rows, 3 * heads * headDim] }, ...(past > 0 ? pasts : {}) };
  }
  const { kind, inChannels, outChannels, kernelSize, length, x, weight, bias } = operation;
  const channels = kind === "conv1d" ? [outChannels, inChannels] : [inChannels, outChannels];
  return {
    x: { values: transposed(x, length, inChannels), shape: [1, inChannels, length] },
    weight: { values: weight, shape: [...channels, kernelSize] },
    bias: { values: bias, shape: [1, outChannels, 1] },
  };
}

function forwardOf({ numpy: np, nn, lax }: Jax, operation: Operation): (operands: Arrays) => JaxArray {
  const norm = (x: JaxArray, scale: JaxArray): JaxArray => {
    const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred.div(np.sqrt(variance.add(1e-5))).mul(scale);
  };
  if (operation.kind === "layernorm") return ({ x, scale }) => norm(x, scale);
  if (operation.kind === "embedding")
    return (operands) =>
      operation.tables.reduce(
        (sum, _, q) => sum.add(np.take(operands[`table${q}`], operands[`ids${q}`], 0)),
        np.take(operands["positions"], operands["place"], 0),
      );
  if (operation.kind === "matmul") {
    const { gelu, residual, normWeight } = operation;
    return (operands) => {
      const x = normWeight === undefined ? operands["x"] : norm(operands["x"], operands["scale"]);
      let y = np.matmul(x, operands["weight"]);
      if (gelu) y = nn.gelu(y, { approximate: false });
      return residual ? operands["residual"].add(y) : y;
    };
  }
  if (operation.kind === "attention") {
    const { rows, past, heads, headDim, causal } = operation;
    const headsFirst = (x: JaxArray): JaxArray => x.reshape([rows, heads, headDim]).transpose([1, 0, 2]);
    return ({ qkv, pastK, pastV }) => {
      const [q, newK, newV] = np.split(qkv, 3, -1).map(headsFirst);
      const k = past > 0 ? np.concatenate([pastK, newK], 1) : newK;
      const v = past > 0 ? np.concatenate([pastV, newV], 1) : newV;
      let scores = np.matmul(q, k.transpose([0, 2, 1])).mul(1 / Math.sqrt(headDim));
      if (causal) {
        const at = np.arange(rows);
        scores = scores.add(np.where(at.ref.reshape([rows, 1]).greaterEqual(at.reshape([1, rows])), 0, -1e9));
      }
      return np
        .matmul(nn.softmax(scores, -1), v)
        .transpose([1, 0, 2])
        .reshape([rows, heads * headDim]);
    };
  }
  const { kernelSize, stride } = operation;
  if (operation.kind === "conv1d")
    return ({ x, weight, bias }) => {
      const mirrored = kernelSize > 1 ? np.flip(x.ref.slice([], [], [1, kernelSize]), 2) : undefined;
      const padded = mirrored === undefined ? x : np.concatenate([mirrored, x], 2);
      return nn.elu(lax.conv(padded, weight, [1], "VALID").add(bias));
    };
  return ({ x, weight, bias }) => {
    const up = lax.convTranspose(x, weight, [stride], "VALID", { transposeKernel: true });
    return nn.elu(up.slice([], [], [0, resultLength(operation)]).add(bias));
  };
}
