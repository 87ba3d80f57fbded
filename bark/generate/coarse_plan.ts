import { EngineError } from "../../engine/errors.ts";
import type { BarkGenerationConfig } from "../config/generation_config.ts";
import { voiceOfRow, type BatchVoice, type HistoryPrompt } from "../voice/history_prompt.ts";
import { lastOf, roundHalfEven, type Row } from "./python.ts";
import type { IdRange } from "./semantic_plan.ts";

// What the coarse stage takes and may answer, as numbers alone: bark-spec 4.3. All of it is exact arithmetic of transformers,
// quirks included, since one shifted index changes every token after it.

/**
 * Ids that the coarse stage may answer, by step within a window: even steps the first codebook, odd steps everything
 * above it (transformers sets no upper end, so pad and infer tokens can come out).
 */
export function coarseRanges(config: BarkGenerationConfig, outputVocabSize: number): readonly [IdRange, IdRange] {
  const first = config.semantic_config.semantic_vocab_size;
  const second = first + config.codebook_size;
  return [
    [first, Math.min(second, outputVocabSize)],
    [second, outputVocabSize],
  ];
}

/** Coarse tokens a semantic token. */
export function coarseRatio({ semantic_config, coarse_acoustics_config: coarse }: BarkGenerationConfig): number {
  return (coarse.coarse_rate_hz / semantic_config.semantic_rate_hz) * coarse.n_coarse_codebooks;
}

/** Coarse tokens of a row of `count` semantic tokens; in float32, as torch computes it. */
export function coarseLength(count: number, config: BarkGenerationConfig): number {
  const books = config.coarse_acoustics_config.n_coarse_codebooks;
  const product = Math.fround(Math.fround(count) * Math.fround(coarseRatio(config)));
  const frames = Math.floor(Math.fround(product / books));
  return roundHalfEven(Math.fround(frames * books));
}

/** The end of a voice for the coarse stage: semantic tokens, and interleaved ids of the coarse vocabulary. */
export function coarseHistory(
  history: HistoryPrompt | null,
  config: BarkGenerationConfig,
): { semantic: Row; coarse: Row } {
  if (history === null) return { semantic: [], coarse: [] };
  const ratio = coarseRatio(config);
  const semantic = Array.from(history.semantic_prompt.data);
  const { data, shape } = history.coarse_prompt;
  const [books, frames] = shape;
  const offset = config.semantic_config.semantic_vocab_size;
  const flat = Array.from({ length: books * frames }, (_, i) => {
    const book = i % books;
    return data[book * frames + Math.floor(i / books)] + book * config.codebook_size + offset;
  });
  const count = Math.min(
    maxSemanticHistory(config),
    semantic.length - (semantic.length % 2),
    Math.floor(flat.length / ratio),
  );
  const coarse = lastOf(flat, roundHalfEven(count * ratio));
  // Two tokens are dropped "for time alignment", whatever the number of codebooks: suno's rule.
  return { semantic: lastOf(semantic, count), coarse: coarse.slice(0, Math.max(0, coarse.length - 2)) };
}

function maxSemanticHistory(config: BarkGenerationConfig): number {
  return Math.floor(config.coarse_acoustics_config.max_coarse_history / coarseRatio(config));
}

export interface CoarseWindow {
  /** Tokens generated before this window. */
  readonly done: number;
  /** First of the semantic tokens that it sees. */
  readonly semanticStart: number;
  /** Tokens to generate, even and odd steps counted from 0. */
  readonly count: number;
  /** Ids of its input. */
  readonly inputLength: number;
}

export interface CoarsePlan {
  /** Coarse tokens that belong to each row; a row's tail beyond them is noise. */
  readonly lengths: number[];
  /** Coarse tokens generated for every row. */
  readonly maxLength: number;
  /** Semantic tokens with the voice's before them, [batch][*]. */
  readonly semantic: number[][];
  /** Semantic tokens of each row's voice: as many positions of the first window are the same whatever the text. */
  readonly voice: number;
  /** Coarse tokens of each row's voice, all of one length. */
  readonly history: readonly Row[];
  readonly windows: readonly CoarseWindow[];
  /** The window that follows `done` tokens: fewer than planned where an end of sequence cut one short. */
  readonly windowAt: (done: number) => CoarseWindow;
}

/**
 * The windows of the coarse stage.
 * @param history voices of one {@link coarseHistory} length: the windows of a row follow from it.
 * @param semantic output of the semantic stage, rows of one length, end of speech and padding included.
 * @throws EngineError `bad-input` if a window needs more positions than the model's `blockSize`.
 */
export function planCoarse(
  semantic: readonly Row[],
  history: BatchVoice,
  config: BarkGenerationConfig,
  blockSize: number,
): CoarsePlan {
  const { max_coarse_input_length, max_coarse_history, sliding_window_len, coarse_semantic_pad_token } =
    config.coarse_acoustics_config;
  const { semantic_pad_token } = config.semantic_config;
  const tokens = semantic.map((row) => row.map((id) => (id === semantic_pad_token ? coarse_semantic_pad_token : id)));
  const lengths = tokens.map((row) =>
    coarseLength(row.filter((id) => id !== coarse_semantic_pad_token).length, config),
  );
  const maxLength = Math.max(...lengths);
  const voices = semantic.map((_, row) => coarseHistory(voiceOfRow(history, row, semantic.length), config));
  const [voice] = voices;
  const ratio = coarseRatio(config);
  const windowAt = (done: number): CoarseWindow => {
    const semanticIndex = voice.semantic.length + roundHalfEven(done / ratio);
    const past = voice.coarse.length + done;
    const kept = max_coarse_history === 0 ? past : Math.min(max_coarse_history, past);
    return {
      done,
      semanticStart: Math.max(0, semanticIndex - maxSemanticHistory(config)),
      count: Math.min(sliding_window_len, maxLength - done),
      inputLength: max_coarse_input_length + 1 + kept,
    };
  };
  const windows: CoarseWindow[] = [];
  for (let done = 0; done < maxLength; done += sliding_window_len) windows.push(windowAt(done));
  const needed = Math.max(0, ...windows.map(({ inputLength, count }) => inputLength + count - 1));
  if (needed > blockSize)
    throw new EngineError("bad-input", "the coarse model has too few positions for its generation config", {
      where: "generation_config.json: coarse_acoustics_config",
      expected: `at most ${blockSize} positions a window (block_size)`,
      actual: needed,
      fix: "make max_coarse_input_length, max_coarse_history or sliding_window_len smaller",
    });
  return {
    lengths,
    maxLength,
    semantic: tokens.map((row, r) => [...voices[r].semantic, ...row]),
    voice: Math.min(voice.semantic.length, max_coarse_input_length),
    history: voices.map(({ coarse }) => coarse),
    windows,
    windowAt,
  };
}

/**
 * Whether a window is the same whatever semantic tokens follow those of the plan: it is full, and none of its semantic
 * slots is left to them. With suno's presets window k needs 47 + 20 k tokens, since the reference lets it look
 * max_coarse_input_length - max_coarse_history / ratio tokens ahead.
 */
export function isWindowSettled(
  { semantic }: CoarsePlan,
  { semanticStart, count }: CoarseWindow,
  { coarse_acoustics_config }: BarkGenerationConfig,
): boolean {
  const { sliding_window_len, max_coarse_input_length } = coarse_acoustics_config;
  return count === sliding_window_len && semanticStart + max_coarse_input_length <= semantic[0].length;
}

/** Input ids of one row of a window: semantic tokens padded on the right, the infer token, the coarse tokens so far. */
export function coarseWindowInput(
  plan: CoarsePlan,
  window: CoarseWindow,
  row: number,
  generated: Row,
  config: BarkGenerationConfig,
): number[] {
  const { max_coarse_input_length, coarse_semantic_pad_token, coarse_infer_token, max_coarse_history } =
    config.coarse_acoustics_config;
  const semantic = plan.semantic[row];
  const slots = Array.from(
    { length: max_coarse_input_length },
    (_, i) => semantic[window.semanticStart + i] ?? coarse_semantic_pad_token,
  );
  return [...slots, coarse_infer_token, ...lastOf([...plan.history[row], ...generated], max_coarse_history)];
}
