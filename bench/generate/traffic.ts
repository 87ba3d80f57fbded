import type { BarkCausalModel } from "../../bark/sub_models.ts";

/**
 * Bytes that a decode step of one sequence cannot do without reading: all blocks, the columns of the head that are
 * computed, and keys and values of the positions so far.
 * @param name of the sub-model, as its tensors are named. @param positions in the cache, on average.
 */
export function bytesPerToken(
  { gpu, config }: BarkCausalModel,
  name: "semantic" | "coarse_acoustics",
  headColumns: number,
  positions: number,
): number {
  let bytes = 2 * config.num_layers * config.hidden_size * 4 * positions;
  for (const [label, size] of gpu.ledger.byLabel()) {
    if (label.startsWith(`${name}.layers.`)) bytes += size;
    if (label.startsWith(`${name}.lm_head`)) bytes += size * (headColumns / config.output_vocab_size);
  }
  return bytes;
}
