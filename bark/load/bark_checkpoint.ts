import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import type { OnNotice } from "../../engine/notice.ts";
import { BarkConfig } from "../config/config.ts";
import { BarkGenerationConfig } from "../config/generation_config.ts";

/** An opened checkpoint and its configs, read once for all who need them. */
export interface BarkCheckpoint {
  readonly store: FileStore;
  readonly config: BarkConfig;
  readonly generation_config: BarkGenerationConfig;
}

/** @throws EngineError `bad-input` naming the file and what is wrong in it. */
export async function readCheckpoint(store: FileStore, onNotice: OnNotice): Promise<BarkCheckpoint> {
  const config = await BarkConfig.from_pretrained(store);
  const generation_config = await BarkGenerationConfig.from_pretrained(store, { onNotice });
  return { store, config, generation_config };
}
