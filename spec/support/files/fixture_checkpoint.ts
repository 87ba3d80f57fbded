import type { FileStore } from "../../../checkpoint/stores/file_store.ts";
import { packHalves } from "../../../engine/formats/float16.ts";
import { MemoryStore } from "../../../checkpoint/stores/memory.ts";
import { formulaWeights } from "../formula.ts";
import { readFixture, readFixtureJson } from "../runtime.ts";

export type StoredDtype = "F32" | "F16" | "BF16";

/** A tensor of a synthetic checkpoint; its values follow from its name, or from `formula` where that is another. */
export interface FixtureTensor {
  name: string;
  shape: number[];
  formula?: string;
}

export interface FixtureStorage {
  /** Default F32. */
  dtype?: StoredDtype;
  /** Above 1: files `model-0000i-of-0000n.safetensors` with an index, neighbouring tensors in different ones. */
  shards?: number;
}

/** The checkpoint of a fixture folder (`config.json`, `generation_config.json`, `tensors.json`), written in memory. */
export async function fixtureCheckpoint(folder: string, storage: FixtureStorage = {}): Promise<FileStore> {
  const files = weightFiles(await readFixtureJson<FixtureTensor[]>(`${folder}/tensors.json`), storage);
  for (const name of ["config.json", "generation_config.json"]) files.set(name, await readFixture(`${folder}/${name}`));
  return new MemoryStore(files, folder);
}

/** Files of tensors by formula alone. */
export function weightFiles(
  tensors: readonly FixtureTensor[],
  { dtype = "F32", shards = 1 }: FixtureStorage = {},
): Map<string, Uint8Array> {
  if (shards === 1) return new Map([["model.safetensors", writeSafetensors(tensors, dtype)]]);
  const files = new Map<string, Uint8Array>();
  const weight_map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const held = tensors.filter((_, i) => i % shards === shard);
    const number = (value: number): string => String(value).padStart(5, "0");
    const file = `model-${number(shard + 1)}-of-${number(shards)}.safetensors`;
    files.set(file, writeSafetensors(held, dtype));
    for (const { name } of held) weight_map[name] = file;
  }
  files.set("model.safetensors.index.json", new TextEncoder().encode(JSON.stringify({ metadata: {}, weight_map })));
  return files;
}

function writeSafetensors(tensors: readonly FixtureTensor[], dtype: StoredDtype): Uint8Array {
  const header: Record<string, object> = {};
  let end = 0;
  for (const { name, shape } of tensors) {
    const begin = end;
    end += sizeOf(shape) * (dtype === "F32" ? 4 : 2);
    header[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const file = new Uint8Array(8 + json.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  let offset = 8 + json.length;
  for (const { name, shape, formula = name } of tensors) {
    const bytes = bytesOf(formulaWeights(formula, sizeOf(shape)), dtype);
    file.set(bytes, offset);
    offset += bytes.length;
  }
  return file;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function bytesOf(values: Float32Array<ArrayBuffer>, dtype: StoredDtype): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.buffer);
  if (dtype === "F16") return new Uint8Array(packHalves(values).buffer, 0, 2 * values.length);
  // Nearest, ties to even: half a unit of the upper 16 bits, less one where they are even.
  const words = new Uint32Array(values.buffer);
  return new Uint8Array(Uint16Array.from(words, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16).buffer);
}
