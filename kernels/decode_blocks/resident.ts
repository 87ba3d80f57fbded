import type { MatrixFormat } from "../../engine/dtypes.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { Program } from "../../engine/program/program.ts";
import { Scope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { stateFields, stateWidth } from "../decode_state.ts";
import { createLinear, roundTo } from "../matmul/linear.ts";
import { noise } from "../self_test/noise.ts";
import { decodeBlocks, packBlocks, residentScratch, type Block } from "./decode_blocks.ts";
import { decodeBlocksReference, type ReferenceBlock } from "./reference.ts";

const [layers, heads, headDim, tokens, capacity] = [2, 2, 16, 5, 8];
const width = heads * headDim;

/**
 * Small blocks on the GPU, recorded over a few tokens, and what comes out of them in f64. Every other layer has biases.
 * @param meeting how many workgroups share the work, and how long one waits for the others.
 */
export function recordSmallBlocks(
  scope: Scope,
  program: Program,
  format: MatrixFormat,
  meeting: { groups: number; spins?: number },
): { outputs: (readonly [Tensor<"f32">, ArrayLike<number>])[]; sync: Tensor<"u32"> } {
  const reference: ReferenceBlock[] = [];
  const blocks: Block[] = [];
  let seed = 0;
  for (let layer = 0; layer < layers; layer++) {
    const biasOf = (size: number) => (layer % 2 === 0 ? undefined : noise(size, ++seed, 0.1));
    const norm = () => {
      const [weight, bias] = [noise(width, ++seed), biasOf(width)];
      const vector = (values: Float32Array<ArrayBuffer>) => scope.tensorFrom("f32", [width], values, "small norm");
      return { given: { weight, bias }, on: { weight: vector(weight), bias: bias && vector(bias) } };
    };
    const linear = (columns: number, inner: number) => {
      const [weight, bias] = [noise(columns * inner, ++seed, 0.3), biasOf(columns)];
      const given = { weight: roundTo(weight, columns, inner, format), bias };
      return { given, on: createLinear(scope, weight, columns, inner, "small linear", { format, bias }) };
    };
    const [norm1, norm2] = [norm(), norm()];
    const parts = { norm1, qkv: linear(3 * width, width), attentionOut: linear(width, width), norm2 };
    const all = { ...parts, mlpIn: linear(4 * width, width), mlpOut: linear(width, 4 * width) };
    const each = <K extends "given" | "on">(key: K) =>
      Object.fromEntries(Object.entries(all).map(([name, part]) => [name, part[key]]));
    reference.push(each("given") as unknown as ReferenceBlock);
    blocks.push(each("on") as unknown as Block);
  }
  const packed = packBlocks(scope, program, blocks);
  const input = noise(tokens * width, ++seed, 2);
  const expected = Array.from(decodeBlocksReference(input, reference, { tokens, heads, headDim }));
  const cacheOf = () => scope.tensor("f32", [layers, capacity, width], "small cache");
  const shared = { cache: { k: cacheOf(), v: cacheOf() }, scratch: residentScratch(scope, width) };
  const shape = { rows: 1, layers, heads, headDim, capacity, ...meeting };
  const outputs = Array.from({ length: tokens }, (_, token) => {
    const fields = new Uint32Array(stateWidth);
    fields[stateFields.position] = token;
    const state = scope.tensorFrom("u32", [1, stateWidth], fields, "small state");
    const [from, to] = [token * width, (token + 1) * width];
    const x = scope.tensorFrom("f32", [1, width], input.slice(from, to), "small x");
    decodeBlocks(program, packed, { x, state, ...shared }, shape);
    return [x, expected.slice(from, to)] as const;
  });
  return { outputs, sync: shared.scratch.sync };
}

/** Numbers of workgroups that are tried, the largest first; a GPU's own number is not told to a page. */
const candidates = { software: [4, 2, 1], gpu: [128, 64, 32, 16, 8, 4, 2, 1] };
/** Looks at a meeting: tenths of a second. */
const spins = { software: 2e7, gpu: 2e5 };
/** For sums of some dozens of products: a stale value is off by far more. */
const tolerance = 1e-4;
const proofs = new WeakMap<Gpu, Promise<number>>();

/**
 * How many workgroups this adapter was seen to run at once, with the right result: a meeting of more would never end. 0: none.
 * Each try ends by itself, whether or not they run at once.
 */
export function residentGroups(gpu: Gpu): Promise<number> {
  const known = proofs.get(gpu) ?? prove(gpu);
  proofs.set(gpu, known);
  return known;
}

async function prove(gpu: Gpu): Promise<number> {
  for (const groups of candidates[gpu.isSoftware ? "software" : "gpu"])
    if (await Scope.during(gpu, (scope) => agrees(scope, groups))) return groups;
  return 0;
}

async function agrees(scope: Scope, groups: number): Promise<boolean> {
  const program = scope.program("proof of residence");
  const meeting = { groups, spins: spins[scope.gpu.isSoftware ? "software" : "gpu"] };
  const { outputs, sync } = recordSmallBlocks(scope, program, "f32", meeting);
  await program.run();
  for (const [tensor, expected] of outputs) {
    const actual = await tensor.read();
    if (!actual.every((value, i) => Math.abs(value - expected[i]) <= tolerance)) return false;
  }
  // Once may be luck.
  for (let turn = 0; turn < 20; turn++) await program.run();
  return (await sync.read())[1] === 0;
}
