import { createRequire } from "node:module";
import path from "node:path";
import type { Prepare, Prepared } from "../contender.ts";
import { offerAdapter } from "./jaxjs.ts";
import { codecChannels, codecStrides, tensorsOf, valuesOf, type CodecWork, type GptWork } from "../../measure/work.ts";

/** What is used of tfjs. */
export interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tidy<T>(f: () => T): T;
  tensor(values: Float32Array | Int32Array, shape: readonly number[], dtype?: "int32"): TfTensor;
  gather(a: TfTensor, indices: TfTensor): TfTensor;
  zeros(shape: readonly number[]): TfTensor;
  moments(x: TfTensor, axis: number, keepDims: boolean): { mean: TfTensor; variance: TfTensor };
  add(a: TfTensor, b: TfTensor | number): TfTensor;
  sub(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  div(a: TfTensor, b: TfTensor): TfTensor;
  sqrt(a: TfTensor): TfTensor;
  erf(a: TfTensor): TfTensor;
  elu(a: TfTensor): TfTensor;
  sigmoid(a: TfTensor): TfTensor;
  tanh(a: TfTensor): TfTensor;
  softmax(a: TfTensor, axis: number): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  split(a: TfTensor, parts: number, axis: number): TfTensor[];
  concat(tensors: TfTensor[], axis: number): TfTensor;
  reshape(a: TfTensor, shape: readonly number[]): TfTensor;
  transpose(a: TfTensor, axes: readonly number[]): TfTensor;
  slice(a: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor;
  mirrorPad(a: TfTensor, paddings: readonly (readonly number[])[], mode: "reflect"): TfTensor;
  conv1d(a: TfTensor, filter: TfTensor, stride: number, padding: "valid"): TfTensor;
  conv2dTranspose(
    a: TfTensor,
    filter: TfTensor,
    shape: readonly number[],
    strides: readonly number[],
    padding: "valid",
  ): TfTensor;
}
export interface TfTensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}
type Weights = Record<string, TfTensor>;

/** tfjs by its WebGPU backend, on the adapter that we take, in this process. */
export const prepareTfjs: Prepare = async (work, folder, device) => {
  const name = await offerAdapter(device);
  const require = createRequire(path.join(folder, "package.json"));
  const tf = require("@tensorflow/tfjs-core") as Tf;
  require("@tensorflow/tfjs-backend-cpu");
  require("@tensorflow/tfjs-backend-webgpu");
  if (!(await tf.setBackend("webgpu"))) throw new Error("its WebGPU backend does not start in Node");
  await tf.ready();
  const weights: Weights = {};
  for (const [key, spec] of Object.entries(tensorsOf(work))) {
    const tensor = tf.tensor(valuesOf(spec), spec.shape);
    // torch has [out, in, width], and [in, out, width] for a transposed one; tfjs the reverse of either.
    const filter = /^(first|up|inner|outer|shortcut|last).*weight$/.test(key);
    weights[key] = filter ? tf.transpose(tensor, [2, 1, 0]) : tensor;
  }
  const forward = work.kind === "gpt" ? gptForward(tf, work, weights) : codecForward(tf, work, weights);
  const run: Prepared["run"] = async () => {
    const y = tf.tidy(forward);
    const values = await y.data();
    y.dispose();
    return values;
  };
  return { device: name, run };
};

function gptForward(tf: Tf, work: GptWork, w: Weights): () => TfTensor {
  const { layers, width, heads, rows, past, causal } = work;
  const maskValues = Float32Array.from({ length: rows * rows }, (_, i) => (i % rows > Math.floor(i / rows) ? -1e9 : 0));
  const mask = causal && rows > 1 ? tf.tensor(maskValues, [rows, rows]) : undefined;
  const norm = (x: TfTensor): TfTensor => {
    const { mean, variance } = tf.moments(x, -1, true);
    return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)));
  };
  const gelu = (x: TfTensor): TfTensor => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  const headsFirst = (x: TfTensor): TfTensor => tf.transpose(tf.reshape(x, [rows, heads, width / heads]), [1, 0, 2]);
  return () => {
    let x = w["x"];
    for (let i = 0; i < layers; i++) {
      const [q, newK, newV] = tf.split(tf.matMul(norm(x), w[`qkv.${i}`]), 3, -1).map(headsFirst);
      const k = past > 0 ? tf.concat([w[`past_k.${i}`], newK], 1) : newK;
      const v = past > 0 ? tf.concat([w[`past_v.${i}`], newV], 1) : newV;
      let scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width / heads));
      if (mask !== undefined) scores = tf.add(scores, mask);
      const gathered = tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores, -1), v), [1, 0, 2]), [rows, width]);
      x = tf.add(x, tf.matMul(gathered, w[`out.${i}`]));
      x = tf.add(x, tf.matMul(gelu(tf.matMul(norm(x), w[`mlp_in.${i}`])), w[`mlp_out.${i}`]));
    }
    return x;
  };
}

function codecForward(tf: Tf, { frames }: CodecWork, w: Weights): () => TfTensor {
  // [1, length, channels]
  const conv = (x: TfTensor, name: string, kernel: number): TfTensor => {
    const paddings = [
      [0, 0],
      [kernel - 1, 0],
      [0, 0],
    ];
    const padded = kernel > 1 ? tf.mirrorPad(x, paddings, "reflect") : x;
    return tf.add(tf.conv1d(padded, w[`${name}.weight`], 1, "valid"), w[`${name}.bias`]);
  };
  return () => {
    const first = conv(tf.reshape(w["x"], [1, frames, 128]), "first", 7);
    let x = tf.add(first, lstmForward(tf, first, frames, w));
    let [length, channels] = [frames, codecChannels];
    for (const [i, stride] of codecStrides.entries()) {
      const untrimmed = [1, 1, (length + 1) * stride, channels / 2];
      const input = tf.reshape(tf.elu(x), [1, 1, length, channels]);
      const filter = tf.reshape(w[`up.${i}.weight`], [1, 2 * stride, channels / 2, channels]);
      const up = tf.conv2dTranspose(input, filter, untrimmed, [1, stride], "valid");
      [length, channels] = [length * stride, channels / 2];
      x = tf.add(
        tf.reshape(tf.slice(up, [0, 0, 0, 0], [1, 1, length, channels]), [1, length, channels]),
        w[`up.${i}.bias`],
      );
      const inner = conv(tf.elu(x), `inner.${i}`, 3);
      x = tf.add(conv(x, `shortcut.${i}`, 1), conv(tf.elu(inner), `outer.${i}`, 1));
    }
    return conv(tf.elu(x), "last", 7);
  };
}

function lstmForward(tf: Tf, x: TfTensor, frames: number, w: Weights): TfTensor {
  const H = codecChannels;
  let y = tf.reshape(x, [frames, H]);
  for (const layer of [0, 1]) {
    const bias = tf.add(w[`lstm.bias_ih.${layer}`], w[`lstm.bias_hh.${layer}`]);
    const gates = tf.add(tf.matMul(y, w[`lstm.ih.${layer}`], false, true), bias);
    let [h, c] = [tf.zeros([1, H]), tf.zeros([1, H])];
    const outputs: TfTensor[] = [];
    for (let t = 0; t < frames; t++) {
      const z = tf.add(tf.slice(gates, [t, 0], [1, 4 * H]), tf.matMul(h, w[`lstm.hh.${layer}`], false, true));
      const [i, f, g, o] = tf.split(z, 4, -1);
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
      outputs.push(h);
    }
    y = tf.concat(outputs, 0);
  }
  return tf.reshape(y, [1, frames, H]);
}
