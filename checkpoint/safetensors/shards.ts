import type { WritableTensor } from "./writer.ts";

/** A file of a checkpoint and what goes into it. */
export interface Shard {
  readonly file: string;
  readonly tensors: readonly WritableTensor[];
}

/** Weights above this go to several files. */
const maxShardBytes = 2_000_000_000;

/** The safetensors files of a checkpoint: `model.safetensors`, or `model-00001-of-0000N.safetensors` of at most `limit` bytes. */
export function planShards(tensors: readonly WritableTensor[], limit = maxShardBytes): Shard[] {
  const groups: WritableTensor[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const group = groups[groups.length - 1];
    if (group.length > 0 && bytes + tensor.byteLength > limit) {
      groups.push([tensor]);
      bytes = tensor.byteLength;
    } else {
      group.push(tensor);
      bytes += tensor.byteLength;
    }
  }
  if (groups.length === 1) return [{ file: "model.safetensors", tensors }];
  const number = (value: number): string => String(value).padStart(5, "0");
  return groups.map((group, i) => ({
    file: `model-${number(i + 1)}-of-${number(groups.length)}.safetensors`,
    tensors: group,
  }));
}

/** What `model.safetensors.index.json` says of shards. */
export function shardIndex(shards: readonly Shard[]): object {
  const all = shards.flatMap(({ file, tensors }) => tensors.map((tensor) => ({ file, tensor })));
  return {
    metadata: { total_size: all.reduce((sum, { tensor }) => sum + tensor.byteLength, 0) },
    weight_map: Object.fromEntries(all.map(({ file, tensor }) => [tensor.name, file])),
  };
}
