import { EngineError } from "../../../engine/errors.ts";
import type { CausalOptions } from "./causal_options.ts";

/**
 * Refuses what transformers refuses: options that do not go together. @param stage for the keyword's name.
 * @returns the options.
 * @throws EngineError `usage`.
 */
export function checkCombinations(stage: "semantic" | "coarse", options: CausalOptions): CausalOptions {
  const refuse = (keyword: string, problem: string, fix?: string): never => {
    throw new EngineError("usage", problem, { where: `${stage}_${keyword}`, ...(fix === undefined ? {} : { fix }) });
  };
  const { num_return_sequences: count, num_beams, do_sample, eos_token_id, suppress_tokens } = options;
  if (count > 1 && stage === "coarse")
    refuse(
      "num_return_sequences",
      "the coarse stage goes on with one sequence a row",
      "give semantic_num_return_sequences",
    );
  if (count > 1 && num_beams === 1 && !do_sample)
    refuse("num_return_sequences", `greedy search has one sequence a row, not ${count}`, "give do_sample or num_beams");
  if (count > num_beams && num_beams > 1)
    refuse("num_return_sequences", `${count} sequences are more than the ${num_beams} beams`);
  if (options.exponential_decay_length_penalty !== null && eos_token_id === null)
    refuse(
      "exponential_decay_length_penalty",
      "needs an end of sequence, and this stage has none",
      `give ${stage}_eos_token_id`,
    );
  for (const name of ["forced_bos_token_id", "forced_eos_token_id"] as const) {
    const forced = [options[name] ?? []].flat();
    if (forced.length > 0 && forced.every((id) => suppress_tokens?.includes(id)))
      refuse(name, "forces nothing but what suppress_tokens forbids");
  }
  return options;
}
