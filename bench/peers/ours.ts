import { Gpt, type GptBuffers } from "../../bark/gpt/gpt.ts";
import { WeightLoader } from "../../bark/gpt/weight_loader.ts";
import { EncodecConfig } from "../../encodec/config.ts";
import { EncodecDecoder } from "../../encodec/decoder.ts";
import { openGpu, type Gpu } from "../../engine/gpu.ts";
import type { Program } from "../../engine/program.ts";
import { into } from "../../engine/recorder.ts";
import { Scope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { TensorInfo, TensorReader } from "../../engine/weights/tensor_reader.ts";
import { attention } from "../../kernels/attention/attention.ts";
import { attentionDecode, decodeScratch } from "../../kernels/attention/decode.ts";
import { stateFields, stateWidth } from "../../kernels/decode_state.ts";
import type { Prepare, Prepared } from "./contender.ts";
import { codecStrides, tensorsOf, valuesOf, type CodecWork, type GptWork, type TensorSpec } from "./work.ts";

/** bark-webgpu itself, by the parts of it that do the same work as the peers. */
export const prepareOurs: Prepare = async (work, _folder, device) => {
  const gpu = await openGpu(device === undefined ? {} : { device });
  const run = work.kind === "gpt" ? await prepareGpt(gpu, work) : await prepareCodec(gpu, work);
  return { device: gpu.adapterName, run };
};

/** Tensors under the names of a checkpoint, made when they are read. */
class WorkReader implements TensorReader {
  readonly #tensors: ReadonlyMap<string, { shape: readonly number[]; values: () => Float32Array<ArrayBuffer> }>;

  constructor(tensors: ReadonlyMap<string, { shape: readonly number[]; values: () => Float32Array<ArrayBuffer> }>) {
    this.#tensors = tensors;
  }

  names(): Iterable<string> {
    return this.#tensors.keys();
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  info(name: string): TensorInfo {
    return { dtype: "F32", shape: this.#find(name).shape, file: "bench" };
  }

  async readFloat32(name: string): Promise<Float32Array<ArrayBuffer>> {
    return Promise.resolve(this.#find(name).values());
  }

  async readRows(name: string, first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const { shape, values } = this.#find(name);
    const width = shape.slice(1).reduce((product, extent) => product * extent, 1);
    return Promise.resolve(values().slice(first * width, (first + count) * width));
  }

  async gatherRows(name: string): Promise<Float32Array<ArrayBuffer>> {
    return Promise.reject(new Error(`${name}: rows are not gathered here`));
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }

  #find(name: string): { shape: readonly number[]; values: () => Float32Array<ArrayBuffer> } {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new Error(`the bench has no tensor ${name}`);
    return tensor;
  }
}

/** [rows, columns] to [columns, rows]. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column];
  return result;
}

function gptReader(work: GptWork): WorkReader {
  const { layers, width } = work;
  const specs = tensorsOf(work);
  const ones = { shape: [width], values: () => new Float32Array(width).fill(1) };
  const transposed = ({ shape: [inner, columns], ...spec }: TensorSpec) => ({
    shape: [columns, inner],
    values: () => transpose(valuesOf({ shape: [inner, columns], ...spec }), inner, columns),
  });
  const tensors = new Map([["layernorm_final.weight", ones]]);
  for (let i = 0; i < layers; i++) {
    tensors.set(`layers.${i}.layernorm_1.weight`, ones).set(`layers.${i}.layernorm_2.weight`, ones);
    tensors.set(`layers.${i}.attn.att_proj.weight`, transposed(specs[`qkv.${i}`]));
    tensors.set(`layers.${i}.attn.out_proj.weight`, transposed(specs[`out.${i}`]));
    tensors.set(`layers.${i}.mlp.in_proj.weight`, transposed(specs[`mlp_in.${i}`]));
    tensors.set(`layers.${i}.mlp.out_proj.weight`, transposed(specs[`mlp_out.${i}`]));
  }
  return new WorkReader(tensors);
}

async function prepareGpt(gpu: Gpu, work: GptWork): Promise<Prepared["run"]> {
  const { program, y } = await recordGpt(gpu, work);
  return async () => {
    await program.run();
    return await y.read();
  };
}

/** The work as one program, and where it leaves its result. */
export async function recordGpt(gpu: Gpu, work: GptWork): Promise<{ program: Program; y: Tensor<"f32"> }> {
  const { layers: numLayers, width, heads: numHeads, rows } = work;
  const shape = { hiddenSize: width, numHeads, numLayers, bias: false, normBias: false };
  const scope = new Scope(gpu);
  const gpt = await Gpt.load(new WeightLoader(scope, gptReader(work), "", "f32"), shape);
  const buffers = gpt.buffers(scope, rows, "bench");
  const input = gpu.tensorFrom("f32", [rows, width], valuesOf(tensorsOf(work)["x"]), "bench input");
  const program = gpu.program("bench gpt");
  // The residual stream is computed in place.
  program.copy(input, 0, buffers.x, 0, rows * width);
  if (work.past > 0) recordDecode(program, gpt, buffers, work);
  else recordMany(program, gpt, buffers, work);
  return { program, y: buffers.x };
}

function recordMany(program: Program, gpt: Gpt, buffers: GptBuffers, { rows, width, heads, causal }: GptWork): void {
  gpt.recordBlocks(into(program), buffers, rows, (_recording, _layer, qkv, y) => {
    const part = (index: number) => ({ tensor: qkv, first: index * width, stride: 3 * width });
    const shape = { queries: rows, keys: rows, heads, headDim: width / heads, causal, scratch: buffers.scratch };
    attention(program, part(0), part(1), part(2), y, shape);
  });
}

function recordDecode(program: Program, gpt: Gpt, buffers: GptBuffers, work: GptWork): void {
  const { gpu } = gpt;
  const { heads, width, past } = work;
  const capacity = 1024;
  const fields = new Uint32Array(stateWidth);
  fields[stateFields.position] = past;
  const state = gpu.tensorFrom("u32", [1, stateWidth], fields, "bench state");
  const shape = { rows: 1, heads, headDim: width / heads, capacity };
  const scratch = decodeScratch(gpu, shape);
  const cacheOf = (spec: TensorSpec): Tensor<"f32"> => {
    const tensor = gpu.tensor("f32", [1, capacity, width], "bench cache");
    tensor.write(positionsFirst(valuesOf(spec), heads, past));
    return tensor;
  };
  const specs = tensorsOf(work);
  gpt.recordBlocks(into(program), buffers, 1, (_recording, layer, qkv, y) => {
    const cache = { k: cacheOf(specs[`past_k.${layer}`]), v: cacheOf(specs[`past_v.${layer}`]) };
    return attentionDecode(program, { qkv, state, cache, scratch, y }, shape);
  });
}

/** [heads, positions, head_dim] to [positions, heads, head_dim]. */
function positionsFirst(values: Float32Array, heads: number, positions: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length);
  const size = values.length / heads / positions;
  for (let head = 0; head < heads; head++)
    for (let position = 0; position < positions; position++) {
      const from = (head * positions + position) * size;
      result.set(values.subarray(from, from + size), (position * heads + head) * size);
    }
  return result;
}

async function prepareCodec(gpu: Gpu, work: CodecWork): Promise<Prepared["run"]> {
  const config = new EncodecConfig();
  const specs = tensorsOf(work);
  const tensors = new Map<string, { shape: readonly number[]; values: () => Float32Array<ArrayBuffer> }>();
  const add = (name: string, spec: TensorSpec): void =>
    void tensors.set(name, { shape: spec.shape, values: () => valuesOf(spec) });
  const conv = (name: string, from: string): void => {
    for (const part of ["weight", "bias"]) add(`decoder.layers.${name}.conv.${part}`, specs[`${from}.${part}`]);
  };
  conv("0", "first");
  for (const layer of [0, 1]) {
    for (const part of ["ih", "hh"])
      add(`decoder.layers.1.lstm.weight_${part}_l${layer}`, specs[`lstm.${part}.${layer}`]);
    for (const part of ["bias_ih", "bias_hh"])
      add(`decoder.layers.1.lstm.${part}_l${layer}`, specs[`lstm.${part}.${layer}`]);
  }
  for (const i of codecStrides.keys()) {
    conv(`${3 * i + 3}`, `up.${i}`);
    conv(`${3 * i + 4}.block.1`, `inner.${i}`);
    conv(`${3 * i + 4}.block.3`, `outer.${i}`);
    conv(`${3 * i + 4}.shortcut`, `shortcut.${i}`);
  }
  conv("15", "last");
  // One codebook whose entries are the input: code i is frame i.
  const table = new Float32Array(config.codebook_size * config.codebook_dim);
  table.set(valuesOf(specs["x"]));
  const entries = { shape: [config.codebook_size, config.codebook_dim], values: () => table };
  tensors.set("quantizer.layers.0.codebook.embed", entries);
  const decoder = await EncodecDecoder.load(gpu, new WorkReader(tensors), "", config, 1);
  const codes = Int32Array.from({ length: work.frames }, (_, i) => i);
  return async () => (await decoder.decode(codes, work.frames)).data;
}
