import { checkFinite, readTensor, readWeight } from "../engine/weights/read_tensor.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import type { ConvShape } from "../kernels/conv1d/conv1d.ts";
import type { LstmWeights } from "../kernels/lstm/lstm.ts";

/** Names of a weight-normed pair (magnitude g, direction v) in files of before and after transformers 4.45. */
const weightNormNames = [
  ["weight_g", "weight_v"],
  ["parametrizations.weight.original0", "parametrizations.weight.original1"],
] as const;

/** Reads the codec's tensors under a prefix such as `codec_model.` and checks their shapes. */
export class CodecWeights {
  readonly reader: TensorReader;
  readonly prefix: string;

  constructor(reader: TensorReader, prefix: string) {
    this.reader = reader;
    this.prefix = prefix;
  }

  /** @throws EngineError `bad-input` if the tensor is missing, has another shape or is not finite. */
  async values(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    return await readTensor(this.reader, this.prefix + name, shape);
  }

  /** Weight of the convolution `name`, its weight norm folded: [outChannels, inChannels, kernelSize]. */
  async conv(name: string, { outChannels, inChannels, kernelSize }: ConvShape): Promise<Float32Array<ArrayBuffer>> {
    return await this.#folded(name, [outChannels, inChannels, kernelSize]);
  }

  /** The same of a transposed convolution: [inChannels, outChannels, kernelSize]. */
  async convTranspose(
    name: string,
    { outChannels, inChannels, kernelSize }: ConvShape,
  ): Promise<Float32Array<ArrayBuffer>> {
    return await this.#folded(name, [inChannels, outChannels, kernelSize]);
  }

  /** Layer `layer` of the LSTM `name`, as torch stores it. */
  async lstm(name: string, layer: number, dimension: number): Promise<LstmWeights> {
    const part = (kind: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> =>
      this.values(`${name}.${kind}_l${layer}`, shape);
    return {
      weightIh: await part("weight_ih", [4 * dimension, dimension]),
      weightHh: await part("weight_hh", [4 * dimension, dimension]),
      biasIh: await part("bias_ih", [4 * dimension]),
      biasHh: await part("bias_hh", [4 * dimension]),
    };
  }

  async #folded(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const has = (part: string): boolean => this.reader.has(`${this.prefix}${name}.${part}`);
    const pair = weightNormNames.find(([, direction]) => has(direction));
    if (pair === undefined) return await readWeight(this.reader, `${this.prefix}${name}.weight`, shape);
    const [magnitude, direction] = pair;
    const g = await this.values(`${name}.${magnitude}`, [shape[0], 1, 1]);
    const fullName = `${this.prefix}${name}.${direction}`;
    const weight = foldWeightNorm(g, await readWeight(this.reader, fullName, shape));
    checkFinite(this.reader, fullName, weight, "has a row without a direction, which makes"); // 0 / 0
    return weight;
  }
}

/**
 * w = g v / |v| (Salimans & Kingma 2016), the norm over all axes but the first: per output channel of a convolution, per
 * INPUT channel of a transposed one. g: [rows]; v: [rows, …].
 */
export function foldWeightNorm(g: Float32Array, v: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const width = v.length / g.length;
  const weight = new Float32Array(v.length);
  for (let row = 0; row < g.length; row++) {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += v[i] * v[i];
    const scale = g[row] / Math.sqrt(squares);
    for (let i = row * width; i < (row + 1) * width; i++) weight[i] = v[i] * scale;
  }
  return weight;
}
