import { EngineError } from "../../engine/errors.ts";
import type { BarkFineGenerationConfig, BarkGenerationConfig } from "../config/generation_config.ts";
import type { HistoryPrompt } from "../voice/history_prompt.ts";

/** One window of the fine stage: frames [start, start + max_fine_input_length), predicted from frame `fill` on. */
export interface FineWindow {
  readonly start: number;
  readonly fill: number;
  /** `fill` counted from the window's start. */
  readonly rel: number;
}

export interface FinePlan {
  /** Frames of the buffer: history, the frames to speak, padding. */
  readonly total: number;
  /** Frames of the voice before the first. */
  readonly history: number;
  /** Frames to speak. */
  readonly frames: number;
  readonly windows: readonly FineWindow[];
}

/** The windows of the fine stage (bark-spec 4.4). @param promptFrames frames of the voice's fine prompt, 0 without one. */
export function planFine(frames: number, promptFrames: number, config: BarkFineGenerationConfig): FinePlan {
  const { max_fine_history_length: step, max_fine_input_length: width } = config;
  const history = Math.min(step, promptFrames);
  const total = Math.max(width, history + frames);
  const loops = Math.max(0, Math.ceil((frames - (width - history)) / step)) + 1;
  const windows = Array.from({ length: loops }, (_, n) => {
    const start = Math.min(n * step, total - width);
    const fill = Math.min(history + n * step, total - step);
    return { start, fill, rel: fill - start };
  });
  return { total, history, frames, windows };
}

/**
 * Whether window `n` is the same if there are more frames than those of the plan: it is full, and neither its start nor its
 * fill is held back by the end.
 */
export function isFineWindowSettled(
  { total, history, frames }: FinePlan,
  n: number,
  { max_fine_history_length: step, max_fine_input_length: width }: BarkFineGenerationConfig,
): boolean {
  return n * step + width <= history + frames && history + (n + 1) * step <= total;
}

/**
 * Frames that stay as they are after the first `done` windows, if there are those of the plan or more: the next window
 * predicts all from its fill on.
 */
export function settledFrames(
  { total, history }: FinePlan,
  done: number,
  { max_fine_history_length: step }: BarkFineGenerationConfig,
): number {
  return done === 0 ? 0 : Math.max(0, Math.min(history + done * step, total - step) - history);
}

/**
 * The buffer of the fine stage before its first window: the end of the voice, then the coarse codes with the codebooks
 * that are not there yet (and the padding) at `codebook_size`.
 * @param coarse interleaved ids of the coarse vocabulary of one row.
 * @returns codes, frames first: [total, n_fine_codebooks].
 * @throws EngineError `bad-input` if the voice has another number of codebooks.
 */
export function fineInput(
  plan: FinePlan,
  coarse: readonly number[],
  history: HistoryPrompt | null,
  config: BarkGenerationConfig,
): Uint32Array<ArrayBuffer> {
  const { n_fine_codebooks: books } = config.fine_acoustics_config;
  const buffer = new Uint32Array(plan.total * books).fill(config.codebook_size);
  if (history !== null) {
    const { data, shape } = history.fine_prompt;
    const [rows, frames] = shape;
    if (rows !== books)
      throw new EngineError("bad-input", "fine_prompt of the voice has another number of codebooks", {
        where: "history_prompt",
        expected: books,
        actual: rows,
      });
    const skipped = frames - plan.history;
    for (let t = 0; t < plan.history; t++)
      for (let q = 0; q < books; q++) buffer[t * books + q] = data[q * frames + skipped + t];
  }
  putCoarse(buffer, plan, coarse, config);
  return buffer;
}

/** Puts coarse ids of the frames from `first` on into a buffer; the codebooks that are not there yet become `codebook_size`. */
export function putCoarse(
  buffer: Uint32Array,
  { history }: Pick<FinePlan, "history">,
  coarse: readonly number[],
  config: BarkGenerationConfig,
  first = 0,
): void {
  const { n_fine_codebooks: books } = config.fine_acoustics_config;
  const { n_coarse_codebooks: given } = config.coarse_acoustics_config;
  const sizes = {
    semantic_vocab_size: config.semantic_config.semantic_vocab_size,
    codebook_size: config.codebook_size,
  };
  buffer.fill(config.codebook_size, (history + first) * books);
  for (let i = first * given; i < coarse.length; i++)
    buffer[(history + Math.floor(i / given)) * books + (i % given)] = codeOf(coarse[i], sizes);
}

/**
 * The code that an id of the coarse vocabulary stands for, below `codebook_size` whatever the id. Floor-mod, as
 * torch.remainder: ids of all codebooks fold onto one, and those above the last (the stage may answer them) with them.
 */
export function codeOf(
  id: number,
  { semantic_vocab_size, codebook_size: size }: { semantic_vocab_size: number; codebook_size: number },
): number {
  return (((id - semantic_vocab_size) % size) + size) % size;
}

/** Codes of the frames to speak out of the buffer, codebooks first: [n_fine_codebooks, frames]. */
export function fineOutput(plan: FinePlan, buffer: ArrayLike<number>, books: number): Int32Array<ArrayBuffer> {
  const codes = new Int32Array(books * plan.frames);
  for (let q = 0; q < books; q++)
    for (let t = 0; t < plan.frames; t++) codes[q * plan.frames + t] = buffer[(plan.history + t) * books + q];
  return codes;
}
