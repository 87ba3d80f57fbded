import type { FileStore } from "../../../checkpoint/stores/file_store.ts";
import { openRepositoryStore } from "../runtime.ts";

/** Layouts below spec/fixtures/torch, with the fixture whose weights they hold. */
export const torchLayouts = {
  "pytorch_model.bin": { folder: "hf", runs: "storage_f32", dtype: "F32" },
  "pytorch_model.bin in shards": { folder: "sharded", runs: "storage_bf16", dtype: "BF16" },
  "suno's files": { folder: "suno", runs: "storage_f32", dtype: "F32" },
} as const;
export type TorchLayout = (typeof torchLayouts)[keyof typeof torchLayouts];

/** The checkpoint of a layout: the files that torch wrote, and the configs of the fixture where it has none. */
export async function openTorchLayout({ folder, runs }: TorchLayout): Promise<FileStore> {
  const torch = await openRepositoryStore(`spec/fixtures/torch/${folder}`);
  if (folder === "suno") return torch;
  const configs = await openRepositoryStore(`spec/fixtures/${runs}`);
  return {
    name: torch.name,
    open: async (path) => await (path.endsWith("config.json") ? configs : torch).open(path),
  };
}
