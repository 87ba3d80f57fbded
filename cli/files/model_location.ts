import { fileURLToPath } from "node:url";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { openCheckpoint } from "../../bark/load/open_checkpoint.ts";
import { downloadLine } from "../process/download_line.ts";
import { ProgressLine } from "../process/progress.ts";

/** Where the checkpoint that ships with the repository lies. */
const embedded = new URL("../../models/nano/", import.meta.url);

/** What `-m` names: `nano` is the embedded checkpoint; everything else goes to `from_pretrained` as it is. */
export function modelLocation(name = "nano"): string {
  return name === "nano" ? fileURLToPath(embedded).replace(/[/\\]$/, "") : name;
}

/** Opens what `-m` names; how far a download is shows on stderr, unless `quiet`. @throws EngineError `bad-input`, `io`. */
export async function openModel(
  name: string | undefined,
  signal: AbortSignal,
  { quiet = false } = {},
): Promise<FileStore> {
  const location = modelLocation(name);
  if (quiet) return await openCheckpoint(location, { signal, onNotice: () => undefined });
  const line = new ProgressLine();
  return await openCheckpoint(location, { signal, progress_callback: downloadLine(line), onNotice: line.note });
}
