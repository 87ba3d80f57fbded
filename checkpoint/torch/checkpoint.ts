import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../stores/file_store.ts";
import { isObject } from "../../engine/check/json_fields.ts";
import { readJsonFile } from "../json_file.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import { MergedReader, type TensorPlace } from "../merged_reader.ts";
import { TorchFile } from "./torch_file.ts";

const singleFile = "pytorch_model.bin";
const indexFile = "pytorch_model.bin.index.json";

/**
 * The weights of a checkpoint in Hugging Face layout that torch saved: `pytorch_model.bin`, or shards with an index.
 * Undefined if the store has neither. @throws EngineError `bad-input` if they are damaged or do not fit.
 */
export async function openTorchCheckpoint(store: FileStore): Promise<TensorReader | undefined> {
  const source = await store.open(singleFile);
  if (source !== undefined) return await TorchFile.open(source);
  const index = await readJsonFile(store, indexFile);
  if (index === undefined) return undefined;
  const where = `${store.name}/${indexFile}`;
  const shards = new Map<string, TorchFile>();
  try {
    const places = await openShards(store, readWeightMap(index, where), shards, where);
    return new MergedReader(where, [...shards.values()], places);
  } catch (error) {
    for (const shard of shards.values()) await shard.close();
    throw error;
  }
}

/** File name of the shard of each tensor. */
function readWeightMap(index: unknown, where: string): Map<string, string> {
  const map = isObject(index) ? index["weight_map"] : undefined;
  if (!isObject(map)) throw new EngineError("bad-input", "has no weight_map object", { where });
  const shards = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== "string" || !/^[^/\\]+\.bin$/.test(shard))
      throw new EngineError("bad-input", `tensor ${tensor} names no shard`, {
        where,
        expected: "a file name that ends in .bin",
        actual: shard,
      });
    // A TorchFile does not show causal masks.
    if (!tensor.endsWith(".attn.bias")) shards.set(tensor, shard);
  }
  return shards;
}

/** Enters each file in `shards` as it is opened, so that the caller can close those of an index that fails later. */
async function openShards(
  store: FileStore,
  weightMap: ReadonlyMap<string, string>,
  shards: Map<string, TorchFile>,
  where: string,
): Promise<Map<string, TensorPlace>> {
  const places = new Map<string, TensorPlace>();
  for (const shard of new Set(weightMap.values())) {
    const source = await store.open(shard);
    if (source === undefined)
      throw new EngineError("bad-input", `the shard ${shard} is missing`, { where, fix: "download it too" });
    const reader = await TorchFile.open(source);
    shards.set(shard, reader);
    for (const name of reader.names()) {
      if (places.has(name)) throw new EngineError("bad-input", `tensor ${name} is in two shards`, { where });
      places.set(name, { reader, name });
    }
  }
  for (const [tensor, shard] of weightMap)
    if (places.get(tensor)?.reader !== shards.get(shard))
      throw new EngineError("bad-input", `tensor ${tensor} is not in its shard`, { where, expected: `in ${shard}` });
  return places;
}
