import path from "node:path";
import { pathToFileURL } from "node:url";
import { openGpu } from "../../../engine/gpu.ts";
import { getGpuHost } from "../../../engine/device/host.ts";
import type { Prepare, Prepared } from "../contender.ts";
import { offerNavigator } from "./navigator.ts";
import { codecChannels, codecStrides, tensorsOf, valuesOf, type CodecWork, type GptWork } from "../../measure/work.ts";

/** What is used of jax-js. Operations consume their arguments; `ref` keeps one for another use. */
export interface Jax {
  init(device: string): Promise<unknown>;
  defaultDevice(device: string): unknown;
  readonly jit: <F>(f: F) => F;
  numpy: {
    array(values: Float32Array | Int32Array): JaxArray;
    take(a: JaxArray, indices: JaxArray, axis: number): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    mean(a: JaxArray, axis: number, options: { keepdims: boolean }): JaxArray;
    square(a: JaxArray): JaxArray;
    sqrt(a: JaxArray): JaxArray;
    tanh(a: JaxArray): JaxArray;
    split(a: JaxArray, parts: number, axis: number): JaxArray[];
    concatenate(arrays: JaxArray[], axis: number): JaxArray;
    flip(a: JaxArray, axis: number): JaxArray;
    arange(count: number): JaxArray;
    where(condition: JaxArray, a: number, b: number): JaxArray;
  };
  nn: {
    softmax(a: JaxArray, axis: number): JaxArray;
    gelu(a: JaxArray, options: { approximate: boolean }): JaxArray;
    sigmoid(a: JaxArray): JaxArray;
    elu(a: JaxArray): JaxArray;
  };
  lax: {
    conv(a: JaxArray, weight: JaxArray, strides: number[], padding: "VALID"): JaxArray;
    convTranspose(
      a: JaxArray,
      weight: JaxArray,
      strides: number[],
      padding: "VALID",
      options: { transposeKernel: boolean },
    ): JaxArray;
  };
}
export interface JaxArray {
  readonly ref: JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  transpose(axes?: readonly number[]): JaxArray;
  slice(...index: (number | readonly [] | readonly [number, number])[]): JaxArray;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray): JaxArray;
  greaterEqual(other: JaxArray): JaxArray;
  dispose(): void;
  blockUntilReady(): Promise<JaxArray>;
  data(): Promise<Float32Array>;
}
type Weights = Record<string, JaxArray>;

/** jax-js on the adapter that we take, in this process. */
export const prepareJax: Prepare = async (work, folder, device) => {
  const name = await offerAdapter(device);
  const file = path.join(folder, "node_modules/@jax-js/jax/dist/index.js");
  const jax = (await import(pathToFileURL(file).href)) as Jax;
  await jax.init("webgpu");
  jax.defaultDevice("webgpu");
  const weights: Weights = {};
  for (const [key, spec] of Object.entries(tensorsOf(work)))
    weights[key] = jax.numpy.array(valuesOf(spec)).reshape(spec.shape);
  const run = work.kind === "gpt" ? gptRun(jax, work, weights) : codecRun(jax, work, weights);
  return { device: name, run };
};

/** Makes `navigator.gpu` give the adapter that our engine takes. @returns its name. */
export async function offerAdapter(device: string | undefined): Promise<string> {
  const request = device === undefined ? {} : { device };
  const gpu = await openGpu(request);
  const requestAdapter = async (): Promise<GPUAdapter> => (await getGpuHost().openAdapter(request)).adapter;
  offerNavigator(requestAdapter);
  gpu.dispose();
  return gpu.adapterName;
}

/** Keeps every weight for the next run. */
function keep(weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, array]) => [name, array.ref]));
}

function gptRun({ numpy: np, nn, jit }: Jax, work: GptWork, weights: Weights): Prepared["run"] {
  const { layers, width, heads, rows, past, causal } = work;
  const norm = (x: JaxArray): JaxArray => {
    const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred.div(np.sqrt(variance.add(1e-5)));
  };
  const headsFirst = (x: JaxArray): JaxArray => x.reshape([rows, heads, width / heads]).transpose([1, 0, 2]);
  const forward = jit((w: Weights): JaxArray => {
    let x = w["x"];
    for (let i = 0; i < layers; i++) {
      const qkv = np.matmul(norm(x.ref), w[`qkv.${i}`]);
      const [q, newK, newV] = np.split(qkv, 3, -1).map(headsFirst);
      const k = past > 0 ? np.concatenate([w[`past_k.${i}`], newK], 1) : newK;
      const v = past > 0 ? np.concatenate([w[`past_v.${i}`], newV], 1) : newV;
      let scores = np.matmul(q, k.transpose([0, 2, 1])).mul(1 / Math.sqrt(width / heads));
      if (causal && rows > 1) {
        const at = np.arange(rows);
        scores = scores.add(np.where(at.ref.reshape([rows, 1]).greaterEqual(at.reshape([1, rows])), 0, -1e9));
      }
      const gathered = np.matmul(nn.softmax(scores, -1), v).transpose([1, 0, 2]).reshape([rows, width]);
      x = x.add(np.matmul(gathered, w[`out.${i}`]));
      const hidden = nn.gelu(np.matmul(norm(x.ref), w[`mlp_in.${i}`]), { approximate: false });
      x = x.add(np.matmul(hidden, w[`mlp_out.${i}`]));
    }
    return x;
  });
  return async () => await forward(keep(weights)).data();
}

/** There is no loop in jax-js that stays on the GPU, so the steps of the LSTM are calls of a compiled step. */
function codecRun({ numpy: np, nn, lax, jit }: Jax, work: CodecWork, weights: Weights): Prepared["run"] {
  const { frames } = work;
  const H = codecChannels;
  const conv = (x: JaxArray, w: Weights, name: string, length: number, kernel: number): JaxArray => {
    const mirrored = kernel > 1 ? np.flip(x.ref.slice([], [], [1, kernel]), 2) : undefined;
    const padded = mirrored === undefined ? x : np.concatenate([mirrored, x], 2);
    return lax.conv(padded, w[`${name}.weight`], [1], "VALID").add(w[`${name}.bias`].reshape([1, -1, 1]));
  };
  const before = jit((w: Weights): JaxArray =>
    conv(w["x"].transpose().reshape([1, 128, frames]), w, "first", frames, 7),
  );
  const gatesOf = jit((x: JaxArray, ih: JaxArray, biasIh: JaxArray, biasHh: JaxArray): JaxArray =>
    np.matmul(x, ih.transpose()).add(biasIh).add(biasHh),
  );
  const step = jit((gates: JaxArray, h: JaxArray, c: JaxArray, hh: JaxArray): JaxArray[] => {
    const [i, f, g, o] = np.split(gates.add(np.matmul(h, hh.transpose())), 4, -1);
    const cell = nn
      .sigmoid(f)
      .mul(c)
      .add(nn.sigmoid(i).mul(np.tanh(g)));
    return [nn.sigmoid(o).mul(np.tanh(cell.ref)), cell];
  });
  const after = jit((x: JaxArray, lstm: JaxArray, w: Weights): JaxArray => {
    let y = x.add(lstm.transpose().reshape([1, H, frames]));
    let length = frames;
    for (const [i, stride] of codecStrides.entries()) {
      length *= stride;
      const options = { transposeKernel: true };
      const up = lax.convTranspose(nn.elu(y), w[`up.${i}.weight`], [stride], "VALID", options);
      y = up.slice([], [], [0, length]).add(w[`up.${i}.bias`].reshape([1, -1, 1]));
      const inner = conv(nn.elu(y.ref), w, `inner.${i}`, length, 3);
      y = conv(y, w, `shortcut.${i}`, length, 1).add(conv(nn.elu(inner), w, `outer.${i}`, length, 1));
    }
    return conv(nn.elu(y), w, "last", length, 7);
  });
  const pick = (w: Weights, pattern: RegExp): Weights =>
    Object.fromEntries(Object.entries(w).filter(([name]) => pattern.test(name)));
  return async () => {
    const w = keep(weights);
    const x = before(pick(w, /^(x$|first)/));
    let y = x.ref.reshape([H, frames]).transpose();
    for (const layer of [0, 1]) {
      const gates = gatesOf(y, w[`lstm.ih.${layer}`], w[`lstm.bias_ih.${layer}`], w[`lstm.bias_hh.${layer}`]);
      let [h, c] = [np.array(new Float32Array(H)), np.array(new Float32Array(H))].map((a) => a.reshape([1, H]));
      const outputs: JaxArray[] = [];
      for (let t = 0; t < frames; t++) {
        [h, c] = step(gates.ref.slice([t, t + 1]), h, c, w[`lstm.hh.${layer}`].ref);
        outputs.push(h.ref);
      }
      y = np.concatenate(outputs, 0);
    }
    return await after(x, y, pick(w, /^(up|inner|outer|shortcut|last)/)).data();
  };
}
