/** `bark worker` with a lock of three seconds, so that a test need not wait a minute: QUEUE STORE MODEL. */
import "../../checkpoint/node/index.ts";
import "../../engine/node/index.ts";
import { readCheckpoint } from "../../bark/load/bark_checkpoint.ts";
import { fingerprintOf } from "../../bark/load/fingerprint.ts";
import { openCheckpoint } from "../../bark/load/open_checkpoint.ts";
import { BarkModel } from "../../bark/model.ts";
import { processorOf } from "../../bark/text/processor.ts";
import { version } from "../../cli/process/version.ts";
import { Farm } from "../../server/queue/farm.ts";
import { PieceWorker } from "../../server/queue/piece_worker.ts";
import { speakBy } from "../../server/queue/speak_piece.ts";
import { openStore } from "../../server/queue/stores/open.ts";

const [queue, place, name] = process.argv.slice(2);
const notice = (line: string): void => void process.stderr.write(`${line}\n`);
const farm = await Farm.open(queue, notice);
const store = await openStore(place);
const files = await openCheckpoint(name, { onNotice: () => undefined });
const checkpoint = await readCheckpoint(files, () => undefined);
const processor = await processorOf(checkpoint, { onNotice: () => undefined });
const model = await BarkModel.from_checkpoint(checkpoint, { onNotice: () => undefined });
const speak = speakBy(model, processor, notice);
await new PieceWorker({
  kind: { version: await version(), checkpoint: await fingerprintOf(files), dtype: "as stored", store: store.id },
  ...{ farm, store, adapter: model.gpu.adapterName, rate: checkpoint.generation_config.sample_rate, notice },
  signal: new AbortController().signal,
  lock: 3000,
  speak: async (request) => {
    process.stdout.write(`begins ${request.piece.key}\n`);
    await speak(request);
  },
}).run();
