import { readCheckpoint } from "../bark/load/bark_checkpoint.ts";
import { fingerprintOf } from "../bark/load/fingerprint.ts";
import { BarkModel } from "../bark/model.ts";
import { processorOf } from "../bark/text/processor.ts";
import { EngineError } from "../engine/errors.ts";
import { Farm } from "../server/queue/farm.ts";
import { PieceWorker, type PieceRequest } from "../server/queue/piece_worker.ts";
import { speakBy } from "../server/queue/speak_piece.ts";
import { openStore } from "../server/queue/stores/open.ts";
import { parseCommandLine, requirePositionals } from "./command_line.ts";
import { openModel } from "./files/model_location.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { note, print } from "./process/print.ts";
import { ProgressLine } from "./process/progress.ts";
import { version } from "./process/version.ts";
import { flags as sayFlags, loadOptions } from "./say_options.ts";

const { model, dtype, device, "low-memory": lowMemory, quiet } = sayFlags;
const flags = {
  ...{ model, dtype, device, "low-memory": lowMemory, quiet },
  queue: { type: "string" },
  store: { type: "string" },
} as const;

/** `bark worker`: speaks pieces of other machines' books until it is stopped. */
export async function worker(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const { values, positionals } = parseCommandLine("worker", args, flags);
  requirePositionals("worker", positionals, 0, 0);
  const needed = (flag: "queue" | "store"): string => {
    const value = values[flag];
    if (value !== undefined) return value;
    throw new EngineError("usage", "is missing", {
      where: `--${flag}`,
      fix: "`bark worker --help` shows how to call it",
    });
  };
  const [queue, place] = [needed("queue"), needed("store")];
  const { signal } = interrupt;
  interrupt.left = "no piece was begun";
  const isQuiet = values.quiet === true;
  const notice = isQuiet ? () => undefined : note;
  const farm = await Farm.open(queue, note);
  try {
    const store = await openStore(place);
    const files = await openModel(values.model, signal, { quiet: isQuiet });
    const checkpoint = await readCheckpoint(files, note);
    const processor = await processorOf(checkpoint, { onNotice: note });
    const kind = {
      version: await version(),
      checkpoint: await fingerprintOf(files),
      dtype: values.dtype ?? "as stored",
      store: store.id,
    };
    const progress = new ProgressLine();
    const shown = isQuiet ? {} : { on_progress: progress.report };
    const load = { ...loadOptions(values), recover: true, onNotice: notice, signal };
    const model = await BarkModel.from_checkpoint(checkpoint, { ...load, ...shown });
    progress.end();
    try {
      const { adapterName: adapter } = model.gpu;
      note(`worker of ${farm.connection.where} and ${store.files.name}: ${files.name}, ${kind.dtype}, ${adapter}`);
      const rate = checkpoint.generation_config.sample_rate;
      const speakPiece = speakBy(model, processor, note);
      const speak = async (request: PieceRequest): Promise<void> => {
        const began = performance.now();
        await speakPiece(request);
        const seconds = ((performance.now() - began) / 1000).toFixed(1);
        // Without its text: logs are kept and read by others.
        if (!isQuiet) print(`${request.store.name} ${request.piece.key.slice(0, 12)}: ${seconds} s`);
      };
      const spoken = await new PieceWorker({ farm, store, kind, adapter, rate, speak, notice: note, signal }).run();
      print(`${spoken} pieces spoken`);
    } finally {
      model.dispose();
    }
  } finally {
    await farm.close();
  }
  return 0;
}
