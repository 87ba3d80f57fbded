import { EngineError } from "../../engine/errors.ts";
import type { Program } from "../../engine/program/program.ts";
import type { Scope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { KvCache } from "../../kernels/attention/shape.ts";
import {
  decodeBlocks,
  packBlocks,
  requireMet,
  residentScratch,
  type PackedBlocks,
} from "../../kernels/decode_blocks/decode_blocks.ts";
import { residentGroups } from "../../kernels/decode_blocks/resident.ts";
import { decodeBlocksVersions, type DecodeBlocksShape } from "../../kernels/decode_blocks/versions.ts";
import { requireVersion } from "../../kernels/version.ts";
import type { BarkSubModelConfig } from "../config/sub_model_config.ts";
import type { Gpt } from "./gpt.ts";

/** A decode of one row whose blocks are one dispatch. */
export interface ResidentDecode {
  /** Of each layer, in two tensors. */
  readonly caches: readonly KvCache[];
  /** Records all blocks of the token at the state's position. x: [1, H], in place. */
  record(program: Program, x: Tensor<"f32">, state: Tensor<"u32">): void;
  /** @throws EngineError `internal` if what was computed is worth nothing. */
  requireComputed(): Promise<void>;
}

/** The blocks of a model as one dispatch takes them. It is loaded where that is asked for: pages need not fetch it. */
export class ResidentBlocks {
  readonly #packed: PackedBlocks;
  readonly #shape: DecodeBlocksShape & { readonly groups: number };

  private constructor(packed: PackedBlocks, shape: DecodeBlocksShape & { readonly groups: number }) {
    [this.#packed, this.#shape] = [packed, shape];
  }

  /** @throws EngineError `usage` for blocks that the version cannot do, `limit` if the adapter cannot run it or bind them. */
  static async of(
    scope: Scope,
    gpt: Gpt,
    { hidden_size: width, num_heads: heads, num_layers: layers, block_size: capacity }: BarkSubModelConfig,
  ): Promise<ResidentBlocks> {
    const { gpu } = scope;
    const shape = { rows: 1, layers, heads, headDim: width / heads, capacity };
    requireVersion(gpu, decodeBlocksVersions.resident, shape);
    const groups = await residentGroups(gpu);
    if (groups === 0)
      throw new EngineError("limit", "this adapter does not compute all blocks in one dispatch", {
        where: "versions.decode_blocks",
        actual: gpu.adapterName,
        fix: "leave it out",
      });
    const program = scope.program("pack blocks");
    const packed = packBlocks(scope, program, gpt.blocks);
    await program.run();
    return new ResidentBlocks(packed, { ...shape, groups });
  }

  decode(scope: Scope): ResidentDecode {
    const { layers, heads, headDim, capacity } = this.#shape;
    const width = heads * headDim;
    const all = (label: string) => scope.tensor("f32", [layers, capacity, width], label);
    const cache = { k: all("K caches"), v: all("V caches") };
    const scratch = residentScratch(scope, width);
    return {
      caches: Array.from({ length: layers }, (_, layer) => ({ ...cache, first: layer * capacity * width })),
      record: (program, x, state) => decodeBlocks(program, this.#packed, { x, state, cache, scratch }, this.#shape),
      requireComputed: () => requireMet(scratch),
    };
  }
}
