import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../stores/file_store.ts";
import { isObject } from "../../engine/check/json_fields.ts";
import { readJsonFile } from "../json_file.ts";
import type { TensorInfo, TensorReader } from "../../engine/weights/tensor_reader.ts";
import { missingTensor, SafetensorsFile } from "./file.ts";

const singleFile = "model.safetensors";
const indexFile = "model.safetensors.index.json";

/** The weights of a checkpoint in Hugging Face layout: one safetensors file, or shards with an index. */
export class SafetensorsCheckpoint implements TensorReader {
  readonly #name: string;
  readonly #shards: readonly SafetensorsFile[];
  /** The shard that holds a tensor. */
  readonly #files: ReadonlyMap<string, SafetensorsFile>;

  private constructor(name: string, shards: readonly SafetensorsFile[], files: ReadonlyMap<string, SafetensorsFile>) {
    this.#name = name;
    this.#shards = shards;
    this.#files = files;
  }

  /** @throws EngineError `bad-input` if there is neither file, or the index and its shards do not fit. */
  static async open(store: FileStore): Promise<SafetensorsCheckpoint> {
    const source = await store.open(singleFile);
    if (source !== undefined) {
      const file = await SafetensorsFile.open(source);
      return new SafetensorsCheckpoint(source.name, [file], new Map(Array.from(file.names(), (name) => [name, file])));
    }
    const index = await readJsonFile(store, indexFile);
    if (index === undefined)
      throw new EngineError("bad-input", `has neither ${singleFile} nor ${indexFile}`, {
        where: store.name,
        fix: "give the folder of a Bark checkpoint in Hugging Face layout with safetensors weights",
      });
    const where = `${store.name}/${indexFile}`;
    const shards = new Map<string, SafetensorsFile>();
    try {
      const files = await openShards(store, readWeightMap(index, where), shards, where);
      checkOverlap(shards, where);
      return new SafetensorsCheckpoint(where, [...shards.values()], files);
    } catch (error) {
      for (const shard of shards.values()) await shard.close();
      throw error;
    }
  }

  names(): Iterable<string> {
    return this.#files.keys();
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  info(name: string): TensorInfo {
    return this.#file(name).info(name);
  }

  async readFloat32(name: string): Promise<Float32Array<ArrayBuffer>> {
    return await this.#file(name).readFloat32(name);
  }

  async readRows(name: string, first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    return await this.#file(name).readRows(name, first, count);
  }

  async gatherRows(name: string, rows: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    return await this.#file(name).gatherRows(name, rows);
  }

  async close(): Promise<void> {
    for (const shard of this.#shards) await shard.close();
  }

  #file(name: string): SafetensorsFile {
    const file = this.#files.get(name);
    if (file === undefined) throw missingTensor(name, this.#name);
    return file;
  }
}

/** File name of the shard of each tensor. */
function readWeightMap(index: unknown, where: string): Map<string, string> {
  const map = isObject(index) ? index["weight_map"] : undefined;
  if (!isObject(map)) throw new EngineError("bad-input", "has no weight_map object", { where });
  const shards = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== "string" || !/^[^/\\]+\.safetensors$/.test(shard) || shard.startsWith(".."))
      throw new EngineError("bad-input", `tensor ${tensor} names no shard`, {
        where,
        expected: "a file name that ends in .safetensors",
        actual: shard,
      });
    shards.set(tensor, shard);
  }
  return shards;
}

/** Enters each file in `shards` as it is opened, so that the caller can close those of an index that fails later. */
async function openShards(
  store: FileStore,
  weightMap: ReadonlyMap<string, string>,
  shards: Map<string, SafetensorsFile>,
  where: string,
): Promise<Map<string, SafetensorsFile>> {
  const files = new Map<string, SafetensorsFile>();
  for (const [tensor, shard] of weightMap) {
    const file = shards.get(shard) ?? (await openShard(store, shard, where));
    shards.set(shard, file);
    if (!file.has(tensor))
      throw new EngineError("bad-input", `tensor ${tensor} is not in its shard`, {
        where,
        expected: `in ${shard}`,
        actual: "absent",
      });
    files.set(tensor, file);
  }
  return files;
}

async function openShard(store: FileStore, shard: string, where: string): Promise<SafetensorsFile> {
  const source = await store.open(shard);
  if (source === undefined)
    throw new EngineError("bad-input", `the shard ${shard} is missing`, { where, fix: "download it too" });
  return await SafetensorsFile.open(source);
}

function checkOverlap(shards: ReadonlyMap<string, SafetensorsFile>, where: string): void {
  const holder = new Map<string, string>();
  for (const [shard, file] of shards)
    for (const tensor of file.names()) {
      const other = holder.get(tensor);
      if (other !== undefined)
        throw new EngineError("bad-input", `tensor ${tensor} is in two shards`, {
          where,
          actual: `${other} and ${shard}`,
          expected: "one",
        });
      holder.set(tensor, shard);
    }
}
