import { embed } from "../../bark/generate/semantic_stage.ts";
import { semanticInput } from "../../bark/generate/semantic_plan.ts";
import type { BarkModel } from "../../bark/model.ts";
import type { BarkTokenizer } from "../../bark/text/tokenizer.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { bestAlignment, type Alignment } from "./align.ts";
import { wordsOf, type TextWord } from "./words_of.ts";

/** A run of the semantic model that is over. */
export interface SaidText {
  readonly text: string;
  /** What it went on from. */
  readonly voice: HistoryPrompt | null;
  /** Its answer, end of speech and padding included or not. */
  readonly tokens: readonly number[];
}

/**
 * When the words of a run were said, by the attention head that follows the text best: some heads of a text-to-speech GPT
 * look at the word that is being said. It costs one pass over the run.
 * @returns undefined where there are no words, or fewer tokens than words.
 * @throws EngineError `aborted`, `device-lost`.
 */
export async function estimateWords(
  { semantic, generation_config }: Pick<BarkModel, "semantic" | "generation_config">,
  tokenizer: BarkTokenizer,
  { text, voice, tokens }: SaidText,
  signal?: AbortSignal,
): Promise<{ words: readonly TextWord[]; alignment: Alignment } | undefined> {
  const { semantic_config: config } = generation_config;
  const { max_input_semantic_length: slots, eos_token_id } = config;
  const end = tokens.indexOf(eos_token_id);
  const said = end < 0 ? tokens : tokens.slice(0, end);
  const words = wordsOf(tokenizer, text, slots);
  if (words.length === 0 || words.length > said.length) return undefined;
  const ids = tokenizer.encode(text).slice(0, slots);
  const alignment = await semantic.weights.use(
    async (weights) => {
      const input = semanticInput([ids], [ids.map(() => 1)], voice, config);
      const [prompt] = await embed(weights, input);
      // Loaded here: most speech is not timed.
      const { slotAttention } = await import("../../bark/gpt/forward/slot_attention.ts");
      const layers = slotAttention(weights, { prompt, tokens: said }, ids.length, signal);
      return await bestAlignment(layers, { heads: weights.config.num_heads, keys: ids.length, words });
    },
    { signal },
  );
  return alignment && { words, alignment };
}
