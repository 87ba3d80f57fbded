import { EngineError } from "../../engine/errors.ts";
import type { Scope } from "../../engine/scope.ts";
import { chooseDecodeBlocks } from "../../kernels/choose.ts";
import { packBlocks, type PackedBlocks } from "../../kernels/decode_blocks/decode_blocks.ts";
import { residentGroups } from "../../kernels/decode_blocks/resident.ts";
import type { BarkSubModelConfig } from "../config/sub_model_config.ts";
import type { Gpt } from "./gpt.ts";

/** What a decode of all blocks in one dispatch needs of a model. */
export interface ResidentBlocks {
  readonly packed: PackedBlocks;
  /** Workgroups that this adapter was seen to run at once. */
  readonly groups: number;
}

/**
 * The blocks as one dispatch takes them, if that version is forced.
 * @throws EngineError `usage` if it cannot do them, `limit` if the adapter cannot run it or bind the weights.
 */
export async function residentBlocks(
  scope: Scope,
  gpt: Gpt,
  { hidden_size: width, num_heads: heads, num_layers: layers, block_size: capacity }: BarkSubModelConfig,
): Promise<ResidentBlocks | undefined> {
  const { gpu } = scope;
  const shape = { rows: 1, layers, heads, headDim: width / heads, capacity };
  if (chooseDecodeBlocks(gpu, shape) === undefined) return undefined;
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
  return { packed, groups };
}
