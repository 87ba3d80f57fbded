/** `bark-webgpu/queue`: books and requests spread over machines, by BullMQ. */
export { Farm, type FarmBook, type FarmProgress, type WorkerFacts } from "./farm.ts";
export { bookId, FarmRun, type FarmPiece, type FarmTask } from "./farm_run.ts";
export type { Kind } from "./kind.ts";
export { PieceWorker, type PieceRequest, type WorkerOptions } from "./piece_worker.ts";
export { speakBy } from "./speak_piece.ts";
export { speakByFarm, type FarmPart, type FarmVoice } from "./speak_text.ts";
export { openStore, type FarmStore } from "./stores/open.ts";
