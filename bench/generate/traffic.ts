import type { BarkCausalModel } from "../../bark/sub_models.ts";

/**
 * Bytes that a decode step cannot do without reading: once for all rows, all blocks and the columns of the head that
 * are computed; for each row, keys and values of its positions so far.
 * @param name of the sub-model, as its tensors are named. @param positions in the cache of a row, on average.
 */
export function bytesPerStep(
  { gpu, config }: BarkCausalModel,
  name: "semantic" | "coarse_acoustics",
  { rows, headColumns, positions }: { rows: number; headColumns: number; positions: number },
): number {
  let bytes = rows * 2 * config.num_layers * config.hidden_size * 4 * positions;
  for (const [label, size] of gpu.ledger.byLabel()) {
    if (label.startsWith(`${name}.layers.`)) bytes += size;
    if (label.startsWith(`${name}.lm_head`)) bytes += size * (headColumns / config.output_vocab_size);
  }
  return bytes;
}
