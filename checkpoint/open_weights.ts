import { EngineError } from "../engine/errors.ts";
import type { FileStore } from "./stores/file_store.ts";
import { SafetensorsCheckpoint } from "./safetensors/checkpoint.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import { Q8Reader } from "./q8_reader.ts";

/**
 * The weights of a checkpoint under transformers' names, from the first of these formats: safetensors (one file or
 * shards with an index), `pytorch_model.bin` (likewise), suno's `.pt` files.
 * @throws EngineError `bad-input` if it has none of them, or a damaged one.
 */
export async function openWeights(store: FileStore): Promise<TensorReader> {
  if (await hasSafetensors(store)) return await openSafetensors(store);
  // Loaded here: most checkpoints are safetensors, and a page fetches code for nothing.
  const { openTorchCheckpoint } = await import("./torch/checkpoint.ts");
  const { SunoCheckpoint } = await import("./suno/checkpoint.ts");
  const reader = (await openTorchCheckpoint(store)) ?? (await SunoCheckpoint.open(store))?.reader();
  if (reader !== undefined) return reader;
  throw new EngineError("bad-input", "the checkpoint has no weights", {
    where: store.name,
    expected:
      "model.safetensors, pytorch_model.bin (or either's index and shards), or suno's text.pt, coarse.pt, fine.pt",
    actual: "none of them",
    fix: "give the folder of a Bark checkpoint, with its weights downloaded",
  });
}

async function openSafetensors(store: FileStore): Promise<TensorReader> {
  const checkpoint = await SafetensorsCheckpoint.open(store);
  try {
    return Q8Reader.over(checkpoint);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

async function hasSafetensors(store: FileStore): Promise<boolean> {
  for (const name of ["model.safetensors", "model.safetensors.index.json"]) {
    const source = await store.open(name);
    await source?.close();
    if (source !== undefined) return true;
  }
  return false;
}
