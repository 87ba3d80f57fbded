import type { NdArray } from "../../engine/ndarray.ts";

/** The axes that each prompt of a voice must have. */
export const promptAxes = { semantic_prompt: 1, coarse_prompt: 2, fine_prompt: 2 } as const;
export type PromptKey = keyof typeof promptAxes;
export const promptKeys = Object.keys(promptAxes) as PromptKey[];

/**
 * A voice, as the tokens of something it said: semantic [n], coarse [2, T] and fine [8, T] (codes of the first 2 and of
 * all codebooks). suno's layout.
 */
export type HistoryPrompt = Readonly<Record<PromptKey, NdArray>>;

/** Of a batch: one voice for all rows, none, or a voice (null: none) for each. */
export type BatchVoice = HistoryPrompt | readonly (HistoryPrompt | null)[] | null;

export function isVoicePerRow(voice: BatchVoice): voice is readonly (HistoryPrompt | null)[] {
  return Array.isArray(voice);
}

/** The voice of one of `rows` rows; where a stage answers several rows for each of its inputs, they follow each other. */
export function voiceOfRow(voice: BatchVoice, row: number, rows: number): HistoryPrompt | null {
  return isVoicePerRow(voice) ? voice[Math.floor((row * voice.length) / rows)] : voice;
}
