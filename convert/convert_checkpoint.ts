import { readdir, rename, stat } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../engine/errors.ts";
import type { FileStore } from "../checkpoint/stores/file_store.ts";
import { isObject, type JsonObject } from "../engine/check/json_fields.ts";
import { readJsonFile, readTextFile } from "../checkpoint/json_file.ts";
import { checkWritable, makeFolder, withTemporary, writeFileAtomically } from "../checkpoint/node/atomic_file.ts";
import { DirectoryStore } from "../checkpoint/node/directory_store.ts";
import { relativePath } from "../checkpoint/relative_path.ts";
import { HuggingFaceView } from "../checkpoint/suno/hugging_face_view.ts";
import { openWeights } from "../checkpoint/open_weights.ts";
import { planTensors } from "./plan_tensors.ts";
import { writeSafetensors } from "../checkpoint/safetensors/writer.ts";
import { planShards, shardIndex } from "../checkpoint/safetensors/shards.ts";
import type { TargetDtype } from "../checkpoint/stored_tensor.ts";

export interface ConvertProgress {
  /** Bytes of weights that are written. */
  done: number;
  total: number;
  /** Since the call. */
  milliseconds: number;
}

export interface ConvertOptions {
  /** `f32`, `f16` or `q8`. Default: as stored. */
  dtype?: string;
  onProgress?: (progress: ConvertProgress) => void;
  /** Called with one line for the user, such as that the tokenizer is missing. */
  onNotice?: (line: string) => void;
  /** Stops it; the destination is left as it was. */
  signal?: AbortSignal;
  /** Weights above this go to several files. Default 2 GB. */
  maxShardBytes?: number;
}

/** What was written. */
export interface Converted {
  /** Weight files. */
  files: string[];
  tensors: number;
  /** Of the weights. */
  bytes: number;
}

const dtypes: Readonly<Record<string, TargetDtype>> = { f32: "F32", f16: "F16", q8: "Q8" };

/** Copied as they are where the source has them. */
const copiedFiles = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.txt",
  "special_tokens_map.json",
];
const presetIndex = "speaker_embeddings_path.json";

/**
 * Writes a checkpoint (safetensors, `pytorch_model.bin`, either in shards, or suno's `.pt` files) to a folder in Hugging
 * Face layout with safetensors weights. The folder appears when it is complete: until then everything goes to a hidden
 * one beside it, or in it if it is there. One block of a tensor is in memory at a time.
 * @param destination a folder that does not exist, or is empty.
 * @throws EngineError `usage` for a wrong dtype or destination; `bad-input` if the source is wrong; `io`; `aborted`.
 */
export async function convertCheckpoint(
  source: string | FileStore,
  destination: string,
  options: ConvertOptions = {},
): Promise<Converted> {
  const dtype = requireDtype(options.dtype);
  const store = new HuggingFaceView(typeof source === "string" ? new DirectoryStore(source) : source);
  const { target, isThere } = await requireFree(destination);
  return await withTemporary(isThere ? target : path.dirname(target), async (temporary) => {
    try {
      const written = await writeFolder(store, temporary, dtype, options);
      await (isThere ? moveInto(temporary, target) : move(temporary, target));
      return written;
    } catch (error) {
      throw error instanceof EngineError ? inDestination(error, temporary, destination) : error;
    }
  });
}

/** An error about a file in the temporary folder, with the name of the caller's folder. */
function inDestination(error: EngineError, temporary: string, destination: string): EngineError {
  const { code, problem, where, fix } = error;
  if (!where?.startsWith(temporary)) return error;
  const file = path.join(destination, where.slice(temporary.length));
  return new EngineError(code, problem, { where: file, ...(fix === undefined ? {} : { fix }), cause: error });
}

function requireDtype(dtype: string | undefined): TargetDtype | undefined {
  if (dtype === undefined || Object.hasOwn(dtypes, dtype)) return dtype === undefined ? undefined : dtypes[dtype];
  throw new EngineError("usage", "no dtype to convert to", {
    where: "dtype",
    expected: "f32, f16 or q8",
    actual: dtype,
    fix: "leave it out to keep the weights as they are stored",
  });
}

/** Where the checkpoint goes. @throws EngineError `usage` if it is taken; `io` if it cannot be written. */
async function requireFree(destination: string): Promise<{ target: string; isThere: boolean }> {
  const named = path.resolve(destination);
  const found = await stat(named).catch(() => undefined);
  if (found === undefined) return { target: await checkMissing(named), isThere: false };
  const isFree = found.isDirectory() && (await readdir(named)).length === 0;
  if (!isFree)
    throw new EngineError("usage", found.isDirectory() ? "the folder is not empty" : "is not a folder", {
      where: destination,
      expected: "a folder that does not exist, or is empty",
      fix: "give another path, or remove it first",
    });
  await checkWritable(path.join(named, "config.json"));
  return { target: named, isThere: true };
}

/** The real path of a folder to make, with the missing folders above it. @throws EngineError. */
async function checkMissing(folder: string): Promise<string> {
  const above = path.dirname(folder);
  if ((await stat(above).catch(() => undefined)) !== undefined) return (await checkWritable(folder)).path ?? folder;
  await checkMissing(above);
  return folder;
}

/** An existing folder stays: it may be a mount point, a link, or another user's. */
async function moveInto(temporary: string, target: string): Promise<void> {
  const names = await readdir(temporary);
  // Last: a folder without it does not look like a checkpoint.
  const sorted = [...names.filter((name) => name !== "config.json"), "config.json"];
  for (const name of sorted) await move(path.join(temporary, name), path.join(target, name));
}

async function move(from: string, to: string): Promise<void> {
  await rename(from, to).catch((cause: unknown) => {
    throw new EngineError("io", `cannot be put in place: ${(cause as Error).message}`, { where: to, cause });
  });
}

async function writeFolder(
  store: FileStore,
  folder: string,
  dtype: TargetDtype | undefined,
  options: ConvertOptions,
): Promise<Converted> {
  const config = await requireConfig(store);
  const reader = await openWeights(store);
  try {
    const shards = planShards(await planTensors(reader, config, dtype), options.maxShardBytes);
    const tensors = shards.flatMap((shard) => shard.tensors);
    const bytes = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
    if (dtype === "Q8")
      options.onNotice?.("q8 weights are for this project alone: for transformers convert with --dtype f16");
    await makeFolder(folder);
    const count = counter(bytes, options);
    for (const shard of shards)
      await writeFileAtomically(path.join(folder, shard.file), count(writeSafetensors(shard.tensors)));
    if (shards.length > 1)
      await writeText(folder, "model.safetensors.index.json", JSON.stringify(shardIndex(shards), null, 2));
    await copySmallFiles(store, folder, dtype, options);
    return { files: shards.map(({ file }) => file), tensors: tensors.length, bytes };
  } finally {
    await reader.close();
  }
}

async function requireConfig(store: FileStore): Promise<JsonObject> {
  const config = await readJsonFile(store, "config.json");
  if (isObject(config)) return config;
  throw new EngineError("bad-input", config === undefined ? "has no config.json" : "config.json is not an object", {
    where: store.name,
    fix: "give the folder of a Bark checkpoint: Hugging Face's layout, or suno's text.pt, coarse.pt and fine.pt",
  });
}

/** Passes parts on, reports their bytes, and stops at the signal. */
function counter(
  total: number,
  { onProgress, signal }: ConvertOptions,
): (parts: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array> {
  const start = performance.now();
  let done = 0;
  return async function* (parts) {
    let isHeader = true;
    for await (const part of parts) {
      if (signal?.aborted)
        throw new EngineError("aborted", "converting was stopped", { where: "convert", cause: signal.reason });
      yield part;
      if (!isHeader) done += part.length;
      isHeader = false;
      onProgress?.({ done, total, milliseconds: performance.now() - start });
    }
  };
}

async function copySmallFiles(
  store: FileStore,
  folder: string,
  dtype: TargetDtype | undefined,
  { onNotice }: ConvertOptions,
): Promise<void> {
  const config = (await readTextFile(store, "config.json")) ?? "";
  await writeText(folder, "config.json", dtype === undefined ? config : withDtype(config, dtype));
  const copied = new Set<string>();
  for (const file of copiedFiles) if (await copyFile(store, file, folder)) copied.add(file);
  if (!copied.has("tokenizer.json") && !copied.has("vocab.txt"))
    onNotice?.(
      `${store.name} has neither tokenizer.json nor vocab.txt: put the vocab.txt of ` +
        "bert-base-multilingual-cased beside the converted weights before you speak text",
    );
  await copyPresets(store, folder);
}

/** Text for text: a parsed config would lose the points of its floats, which transformers wants. */
function withDtype(config: string, dtype: TargetDtype): string {
  return config.replaceAll(
    /("(?:torch_)?dtype"\s*:\s*)"(?:float16|bfloat16|float32|float64)"/g,
    `$1"${dtype === "F32" ? "float32" : "float16"}"`,
  );
}

async function copyPresets(store: FileStore, folder: string): Promise<void> {
  const index = await readJsonFile(store, presetIndex);
  if (!isObject(index)) return;
  await copyFile(store, presetIndex, folder);
  for (const preset of Object.values(index)) {
    if (!isObject(preset)) continue;
    for (const file of Object.values(preset)) {
      if (typeof file !== "string") continue;
      const relative = relativePath(file);
      if (relative === undefined)
        throw new EngineError("bad-input", `Invalid voice preset path: '${file}'`, {
          where: `${store.name}/${presetIndex}`,
        });
      await copyFile(store, relative, folder);
    }
  }
}

async function copyFile(store: FileStore, file: string, folder: string): Promise<boolean> {
  const source = await store.open(file);
  if (source === undefined) return false;
  try {
    const target = path.join(folder, file);
    await makeFolder(path.dirname(target));
    await writeFileAtomically(target, await source.read(0, source.size));
    return true;
  } finally {
    await source.close();
  }
}

async function writeText(folder: string, file: string, text: string): Promise<void> {
  await writeFileAtomically(path.join(folder, file), new TextEncoder().encode(text));
}
