import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { openCheckpoint } from "../../bark/load/open_checkpoint.ts";
import { downloadLine } from "../process/download_line.ts";
import { ProgressLine } from "../process/progress.ts";

/** The model of a command that names none. */
export const defaultModel = "nano";

/** Opens what `-m` names; how far a download is shows on stderr, unless `quiet`. @throws EngineError `bad-input`, `io`. */
export async function openModel(name = defaultModel, signal: AbortSignal, { quiet = false } = {}): Promise<FileStore> {
  if (quiet) return await openCheckpoint(name, { signal, onNotice: () => undefined });
  const line = new ProgressLine();
  return await openCheckpoint(name, { signal, progress_callback: downloadLine(line), onNotice: line.note });
}
