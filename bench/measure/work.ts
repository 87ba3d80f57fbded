import { noise } from "../../kernels/self_test/noise.ts";

/** Values of a tensor that every contender makes for itself: `noise(product of shape, seed, scale)`. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly seed: number;
  readonly scale: number;
}

/**
 * The blocks of a GPT (pre-norm, exact GELU, no biases, norms of weight 1; bark-spec 3.1) without embedding and head, over
 * `rows` positions behind `past` others whose keys and values are given.
 */
export interface GptWork {
  readonly kind: "gpt";
  readonly name: string;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly rows: number;
  readonly past: number;
  readonly causal: boolean;
}

/** The decoder of EnCodec 24 kHz from the sum of its codebooks on. */
export interface CodecWork {
  readonly kind: "codec";
  readonly name: string;
  readonly frames: number;
}

export type Work = GptWork | CodecWork;

/** One line for people. */
export function describeWork(work: Work): string {
  if (work.kind === "codec") return `codec, ${work.frames} frames`;
  const { layers, width, rows, past, causal } = work;
  const shape = `${layers}×${width} GPT`;
  return past > 0
    ? `${shape}, decode at ${past} past`
    : `${shape}, ${rows} tokens, ${causal ? "causal" : "non-causal"}`;
}

/** The strides of the decoder's four stages, and the channels before the first. */
export const codecStrides = [8, 5, 4, 2] as const;
export const codecChannels = 512;

/** What is compared: bark-small's decode, prefill and fine pass, and the codec for 1 s and 10 s. */
export function worksOf(layers: number): readonly Work[] {
  const gpt = { kind: "gpt", layers, width: 768, heads: 12 } as const;
  return [
    { ...gpt, name: "decode", rows: 1, past: 512, causal: true },
    { ...gpt, name: "prefill", rows: 256, past: 0, causal: true },
    { ...gpt, name: "pass", rows: 1024, past: 0, causal: false },
    { kind: "codec", name: "codec75", frames: 75 },
    { kind: "codec", name: "codec750", frames: 750 },
  ];
}

/** Weights as a product takes them from the left: [inner, columns]. `x` is the input. */
export function tensorsOf(work: Work): Record<string, TensorSpec> {
  return work.kind === "gpt" ? gptTensors(work) : codecTensors(work);
}

function gptTensors({ layers, width: D, heads, rows, past }: GptWork): Record<string, TensorSpec> {
  const tensors: Record<string, TensorSpec> = { x: { shape: [rows, D], seed: 1, scale: 1 } };
  for (let layer = 0; layer < layers; layer++) {
    const seed = 10 * (layer + 1);
    tensors[`qkv.${layer}`] = { shape: [D, 3 * D], seed, scale: 0.02 };
    tensors[`out.${layer}`] = { shape: [D, D], seed: seed + 1, scale: 0.02 };
    tensors[`mlp_in.${layer}`] = { shape: [D, 4 * D], seed: seed + 2, scale: 0.02 };
    tensors[`mlp_out.${layer}`] = { shape: [4 * D, D], seed: seed + 3, scale: 0.01 };
    if (past === 0) continue;
    tensors[`past_k.${layer}`] = { shape: [heads, past, D / heads], seed: seed + 4, scale: 0.5 };
    tensors[`past_v.${layer}`] = { shape: [heads, past, D / heads], seed: seed + 5, scale: 0.5 };
  }
  return tensors;
}

/** Scales that keep the size of the signal from layer to layer. Layouts are torch's. */
function codecTensors({ frames }: CodecWork): Record<string, TensorSpec> {
  const tensors: Record<string, TensorSpec> = { x: { shape: [frames, 128], seed: 1, scale: 1 } };
  let seed = 10;
  const add = (name: string, shape: readonly number[], scale: number): void =>
    void (tensors[name] = { shape, seed: seed++, scale });
  const conv = (name: string, outputs: number, inputs: number, kernel: number): void => {
    add(`${name}.weight`, [outputs, inputs, kernel], Math.sqrt(3 / (inputs * kernel)));
    add(`${name}.bias`, [outputs], 0.1);
  };
  let channels = codecChannels;
  conv("first", channels, 128, 7);
  for (const layer of [0, 1]) {
    for (const part of ["ih", "hh"]) add(`lstm.${part}.${layer}`, [4 * channels, channels], 0.06);
    for (const part of ["bias_ih", "bias_hh"]) add(`lstm.${part}.${layer}`, [4 * channels], 0.1);
  }
  for (const [i, stride] of codecStrides.entries()) {
    add(`up.${i}.weight`, [channels, channels / 2, 2 * stride], Math.sqrt(3 / (2 * channels)));
    channels /= 2;
    add(`up.${i}.bias`, [channels], 0.1);
    conv(`inner.${i}`, channels / 2, channels, 3);
    conv(`outer.${i}`, channels, channels / 2, 1);
    conv(`shortcut.${i}`, channels, channels, 1);
  }
  conv("last", 1, channels, 7);
  return tensors;
}

export function valuesOf({ shape, seed, scale }: TensorSpec): Float32Array<ArrayBuffer> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return noise(size, seed, scale);
}
