import { Gpt, type GptBuffers } from "../../bark/gpt/gpt.ts";
import { WeightLoader } from "../../bark/gpt/weight_loader.ts";
import { type Gpu } from "../../engine/gpu.ts";
import type { Program } from "../../engine/program/program.ts";
import { into } from "../../engine/program/recorder.ts";
import { Scope, type TensorMaker } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { TensorInfo, TensorReader } from "../../engine/weights/tensor_reader.ts";
import { attention } from "../../kernels/attention/attention.ts";
import { attentionDecode, decodeScratch } from "../../kernels/attention/decode/decode.ts";
import { decodeBlocks, packBlocks, residentScratch } from "../../kernels/decode_blocks/decode_blocks.ts";
import { stateFields, stateWidth } from "../../kernels/decode_state.ts";
import { tensorsOf, valuesOf, type GptWork, type TensorSpec } from "./work.ts";

/** Tensors under the names of a checkpoint, made when they are read. */
export class WorkReader implements TensorReader {
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

/**
 * The work as one program, what puts its input where it computes in place, and where it leaves its result.
 * @param isResident a decode in one dispatch.
 */
export async function recordGpt(
  gpu: Gpu,
  work: GptWork,
  isResident = false,
): Promise<{ input: Program; program: Program; y: Tensor<"f32"> }> {
  const { layers: numLayers, width, heads: numHeads, rows } = work;
  const shape = { hiddenSize: width, numHeads, numLayers, bias: false, normBias: false };
  const scope = new Scope(gpu);
  const gpt = await Gpt.load(new WeightLoader(scope, gptReader(work), "", "f32"), shape);
  const buffers = gpt.buffers(scope, rows, "bench");
  const x = gpu.tensorFrom("f32", [rows, width], valuesOf(tensorsOf(work)["x"]), "bench input");
  const input = gpu.program("bench input");
  input.copy(x, 0, buffers.x, 0, rows * width);
  const program = gpu.program("bench gpt");
  if (isResident) await recordResident(scope, program, gpt, buffers, work);
  else if (work.past > 0) recordDecode(program, gpt, buffers, work);
  else recordMany(program, gpt, buffers, work);
  return { input, program, y: buffers.x };
}

function recordMany(program: Program, gpt: Gpt, buffers: GptBuffers, { rows, width, heads, causal }: GptWork): void {
  gpt.recordBlocks(into(program), buffers, rows, (_recording, _layer, qkv, y) => {
    const part = (index: number) => ({ tensor: qkv, first: index * width, stride: 3 * width });
    const shape = { queries: rows, keys: rows, heads, headDim: width / heads, causal, scratch: buffers.scratch };
    attention(program, part(0), part(1), part(2), y, shape);
  });
}

/** A decode state behind `past` tokens. */
function stateAt(maker: TensorMaker, past: number): Tensor<"u32"> {
  const fields = new Uint32Array(stateWidth);
  fields[stateFields.position] = past;
  return maker.tensorFrom("u32", [1, stateWidth], fields, "bench state");
}

function recordDecode(program: Program, gpt: Gpt, buffers: GptBuffers, work: GptWork): void {
  const { gpu } = gpt;
  const { heads, width, past } = work;
  const capacity = 1024;
  const state = stateAt(gpu, past);
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

/** One workgroup: what a step costs the host does not depend on their number. */
async function recordResident(
  scope: Scope,
  program: Program,
  gpt: Gpt,
  { x }: GptBuffers,
  { heads, width, past, layers }: GptWork,
): Promise<void> {
  const capacity = 1024;
  const state = stateAt(scope, past);
  const packing = scope.program("bench packing");
  const packed = packBlocks(scope, packing, gpt.blocks);
  await packing.run();
  const cacheOf = () => scope.tensor("f32", [layers, capacity, width], "bench caches");
  const tensors = { x, state, cache: { k: cacheOf(), v: cacheOf() }, scratch: residentScratch(scope, width) };
  const shape = { rows: 1, layers, heads, headDim: width / heads, capacity, groups: 1 };
  decodeBlocks(program, packed, tensors, shape);
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
