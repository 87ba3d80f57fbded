import { Gpt } from "../../../bark/gpt/gpt.ts";
import { WeightLoader } from "../../../bark/gpt/weight_loader.ts";
import { EngineError } from "../../../engine/errors.ts";
import { into } from "../../../engine/program/recorder.ts";
import { Scope as EngineScope } from "../../../engine/scope.ts";
import { attentionDecode, decodeScratch } from "../../../kernels/attention/decode/decode.ts";
import { decodeBlocks, packBlocks, residentScratch } from "../../../kernels/decode_blocks/decode_blocks.ts";
import { decodeBlocksReference, type ReferenceBlock } from "../../../kernels/decode_blocks/reference.ts";
import { residentGroups } from "../../../kernels/decode_blocks/resident.ts";
import { stateFields, stateWidth } from "../../../kernels/decode_state.ts";
import { roundTo } from "../../../kernels/matmul/linear.ts";
import { noise } from "../../../kernels/self_test/noise.ts";
import { WorkReader } from "../../measure/gpt_program.ts";
import type { KernelCase, PreparedCase, Scope } from "./case.ts";

interface Blocks {
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly past: number;
}

/** All blocks of one new token: as some five dispatches a layer, which is the usual way, and as one. */
export function decodeBlocksCase(blocks: Blocks): KernelCase {
  const { layers, heads, headDim, past } = blocks;
  const width = heads * headDim;
  return {
    op: "decode_blocks",
    shape: `${layers}×${width}, decode, ${past} past`,
    versions: ["dispatches", "resident"],
    flops: layers * (2 * 12 * width * width + 4 * width * (past + 1)),
    bytes: (bytesOfWeight) => layers * (12 * width * width * bytesOfWeight + 4 * width * 2 * (past + 1)),
    prepare: (scope) => prepare(scope, blocks),
  };
}

/** [columns, inner] of each product of a layer. */
function matricesOf(width: number): Readonly<Record<string, readonly [number, number]>> {
  return {
    "attn.att_proj": [3 * width, width],
    "attn.out_proj": [width, width],
    "mlp.in_proj": [4 * width, width],
    "mlp.out_proj": [width, 4 * width],
  };
}

async function prepare(scope: Scope, { layers, heads, headDim, past }: Blocks): Promise<PreparedCase> {
  const { gpu, matrixFormat } = scope;
  const width = heads * headDim;
  const capacity = 2 ** Math.ceil(Math.log2(past + 1));
  const matrices = Object.entries(matricesOf(width));
  const weightOf = (layer: number, which: number): Float32Array<ArrayBuffer> => {
    const [, [columns, inner]] = matrices[which];
    return noise(columns * inner, 10 * layer + which + 1, 0.5 / Math.sqrt(inner));
  };
  const ones = { shape: [width], values: () => new Float32Array(width).fill(1) };
  const tensors = new Map<string, { shape: readonly number[]; values: () => Float32Array<ArrayBuffer> }>();
  tensors.set("layernorm_final.weight", ones);
  for (let layer = 0; layer < layers; layer++) {
    for (const norm of ["layernorm_1", "layernorm_2"]) tensors.set(`layers.${layer}.${norm}.weight`, ones);
    for (const [which, [name, shape]] of matrices.entries())
      tensors.set(`layers.${layer}.${name}.weight`, { shape, values: () => weightOf(layer, which) });
  }
  const owner = scope.adopt(new EngineScope(gpu));
  const shape = { hiddenSize: width, numHeads: heads, numLayers: layers, bias: false, normBias: false };
  const gpt = await Gpt.load(new WeightLoader(owner, new WorkReader(tensors), "", matrixFormat), shape);
  const buffers = gpt.buffers(owner, 1, "bench", past + 1);
  const input = noise(width, 7, 2);
  const cacheOf = (layer: number, part: 0 | 1): Float32Array<ArrayBuffer> =>
    noise(past * width, 10 * layer + 7 + part, 2);
  const layerCaches = Array.from({ length: layers }, (_, layer) => {
    const [k, v] = ([0, 1] as const).map((part) => {
      const tensor = scope.tensor("f32", [1, capacity, width]);
      tensor.write(cacheOf(layer, part));
      return tensor;
    });
    return { k, v };
  });
  const [k, v] = ([0, 1] as const).map((part) => {
    const tensor = scope.tensor("f32", [layers, capacity, width]);
    for (let layer = 0; layer < layers; layer++) tensor.write(cacheOf(layer, part), layer * capacity * width);
    return tensor;
  });
  const position = new Uint32Array(stateWidth);
  position[stateFields.position] = past;
  const state = scope.tensorFrom<"u32">("u32", position, [1, stateWidth]);
  const decodeShape = { rows: 1, heads, headDim, capacity };
  const scratch = scope.own(decodeScratch(gpu, decodeShape));
  const groups = await residentGroups(gpu);
  const packing = gpu.program("bench packing");
  const packed = packBlocks(owner, packing, gpt.blocks);
  await packing.run();
  packing.dispose();
  const resident = { x: buffers.x, state, cache: { k, v }, scratch: residentScratch(owner, width) };
  return {
    copies: 1,
    record: (program, version) => {
      if (version === "resident") {
        if (groups === 0) throw new EngineError("usage", "no workgroups were seen to run at once here");
        decodeBlocks(program, packed, resident, { ...decodeShape, layers, groups });
        return;
      }
      gpt.recordBlocks(into(program), buffers, 1, (_recording, layer, qkv, y) =>
        attentionDecode(program, { qkv, state, cache: layerCaches[layer], scratch, y }, decodeShape),
      );
    },
    reset: () => buffers.x.write(input),
    check: async () => {
      const one = { weight: new Float32Array(width).fill(1) };
      const blocks = Array.from({ length: layers }, (_, layer): ReferenceBlock => {
        const [qkv, attentionOut, mlpIn, mlpOut] = matrices.map(([, [columns, inner]], which) => ({
          weight: roundTo(weightOf(layer, which), columns, inner, matrixFormat),
        }));
        const before = { k: cacheOf(layer, 0), v: cacheOf(layer, 1) };
        return { norm1: one, qkv, attentionOut, norm2: one, mlpIn, mlpOut, past: before };
      });
      const expected = decodeBlocksReference(input, blocks, { tokens: 1, heads, headDim });
      return [{ actual: await buffers.x.read(), expected }];
    },
  };
}

/** nano's semantic model, and two layers of bark-small. */
export const decodeBlocksCases: readonly KernelCase[] = [
  decodeBlocksCase({ layers: 4, heads: 3, headDim: 64, past: 200 }),
  decodeBlocksCase({ layers: 2, heads: 12, headDim: 64, past: 512 }),
];
