import { EngineError } from "../errors.ts";
import type { FileStore } from "../file_store.ts";
import { isObject, readJsonFile } from "../json_fields.ts";
import type { TensorInfo, TensorReader } from "../tensor_reader.ts";
import { missingTensor, SafetensorsFile } from "./file.ts";

const singleFile = "model.safetensors";
const indexFile = "model.safetensors.index.json";

/** The weights of a checkpoint in Hugging Face layout: one safetensors file, or shards with an index. */
export class SafetensorsCheckpoint implements TensorReader {
  readonly #name: string;
  readonly #files: ReadonlyMap<string, SafetensorsFile>;

  private constructor(name: string, files: ReadonlyMap<string, SafetensorsFile>) {
    this.#name = name;
    this.#files = files;
  }

  /** @throws EngineError `bad-input` if there is neither file, or the index and its shards do not fit. */
  static async open(store: FileStore): Promise<SafetensorsCheckpoint> {
    const source = await store.open(singleFile);
    if (source !== undefined) {
      const file = await SafetensorsFile.open(source);
      return new SafetensorsCheckpoint(source.name, new Map(Array.from(file.names(), (name) => [name, file])));
    }
    const index = await readJsonFile(store, indexFile);
    if (index === undefined)
      throw new EngineError("bad-input", `has neither ${singleFile} nor ${indexFile}`, {
        where: store.name,
        fix: "give the folder of a Bark checkpoint in Hugging Face layout with safetensors weights",
      });
    return await openShards(store, index);
  }

  /** For {@link openShards}. */
  static ofShards(name: string, files: ReadonlyMap<string, SafetensorsFile>): SafetensorsCheckpoint {
    return new SafetensorsCheckpoint(name, files);
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
    for (const file of new Set(this.#files.values())) await file.close();
  }

  #file(name: string): SafetensorsFile {
    const file = this.#files.get(name);
    if (file === undefined) throw missingTensor(name, this.#name);
    return file;
  }
}

async function openShards(store: FileStore, index: unknown): Promise<SafetensorsCheckpoint> {
  const where = `${store.name}/${indexFile}`;
  const map = isObject(index) ? index["weight_map"] : undefined;
  if (!isObject(map)) throw new EngineError("bad-input", "has no object weight_map", { where });
  const shards = new Map<string, SafetensorsFile>();
  const files = new Map<string, SafetensorsFile>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== "string" || !/^[^/\\]+\.safetensors$/.test(shard) || shard.startsWith(".."))
      throw new EngineError("bad-input", `tensor ${tensor} names no shard`, {
        where,
        expected: "a file name",
        actual: shard,
      });
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
  checkOverlap(shards, where);
  return SafetensorsCheckpoint.ofShards(where, files);
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
