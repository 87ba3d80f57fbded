import type { CheckpointOptions } from "../load/load_options.ts";
import type { CheckpointSource } from "../load/open_checkpoint.ts";
import type { BarkTokenizer } from "./tokenizer.ts";

/** The tokenizer of a checkpoint by itself, as transformers calls it. */
export const AutoTokenizer = {
  /** @throws EngineError `bad-input`, `usage` for an option. */
  async from_pretrained(source: CheckpointSource, options: CheckpointOptions = {}): Promise<BarkTokenizer> {
    // Loaded here: a page that speaks in a worker never loads the tokenizer itself.
    const tokenizer = await import("./tokenizer.ts");
    return await tokenizer.BarkTokenizer.from_pretrained(source, options);
  },
};
