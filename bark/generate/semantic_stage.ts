import { Memo } from "../../engine/memo.ts";
import type { IdRange } from "../../kernels/sample/sample.ts";
import type { CausalWeights } from "../gpt/causal_weights.ts";
import { DecodeSession } from "../gpt/decode_session.ts";
import type { SemanticOptions } from "./generate_options.ts";
import type { BarkSemanticGenerationConfig } from "../config/generation_config.ts";
import { semanticInput, semanticRanges, type SemanticInput } from "./semantic_plan.ts";
import { drawStages, sampling, type StageRun } from "./stage_run.ts";
import type { BatchVoice } from "../voice/history_prompt.ts";

/**
 * Text to semantic tokens (bark-spec 4.2).
 * @param ids of the tokenizer, [batch][length].
 * @returns [batch][n] generated tokens, end of speech included; rows that ended early are filled with it.
 */
export async function generateSemantic(
  model: CausalWeights,
  ids: number[][],
  history: BatchVoice,
  config: BarkSemanticGenerationConfig,
  options: SemanticOptions,
  run: StageRun,
): Promise<number[][]> {
  const mask = options.attention_mask === null ? null : (options.attention_mask.tolist() as number[][]);
  const embeddings = await embed(model, semanticInput(ids, mask, history, config));
  const { eos_token_id: eos } = config;
  const ranges = semanticRanges(config, model.config.output_vocab_size) as [IdRange] | [IdRange, IdRange];
  const eosIsAllowed = ranges.some(([start, end]) => eos >= start && eos < end);
  const session = new DecodeSession(model, {
    rows: ids.length,
    maxTokens: options.max_new_tokens,
    tokensPerReadback: run.tokensPerReadback,
    sampling: [
      {
        columns: [0, Math.max(...ranges.map(([, end]) => end))],
        sample: {
          ranges,
          ...(eosIsAllowed ? { eos } : {}),
          pad: eos,
          minEosP: options.min_eos_p ?? 0,
          ...sampling(options, run.seed, drawStages.semantic),
        },
      },
    ],
  });
  try {
    run.report(0, options.max_new_tokens);
    await session.prefill(
      embeddings.map((row) => ({ embeddings: row })),
      run.signal,
    );
    let tokens: number[][] = [];
    await session.decode(options.max_new_tokens, async (sampled) => {
      tokens = await session.readTokens();
      run.report(sampled, options.max_new_tokens);
      return tokens.every((row) => row.includes(eos));
    });
    return cutAtEnd(tokens, eos);
  } finally {
    session.dispose();
  }
}

/** The prefill's embeddings of each row: text and history summed, then the infer token. [slots + 1, hidden_size] */
async function embed(model: CausalWeights, input: SemanticInput): Promise<Float32Array<ArrayBuffer>[]> {
  const width = model.config.hidden_size;
  const rows: Float32Array<ArrayBuffer>[] = [];
  const voices = new Memo<readonly number[], Float32Array<ArrayBuffer>>();
  for (const [r, ids] of input.text.entries()) {
    const history = input.history[r];
    const row = (await voices.get(history, () => model.gatherEmbeddings([...history, input.infer]))).slice();
    const text = await model.gatherEmbeddings(ids, "input_ids");
    for (let i = 0; i < ids.length * width; i++) row[i] = Math.fround(text[i] + row[i]);
    rows.push(row);
  }
  return rows;
}

/** Decoding runs on to the next readback after the last row ended; that part is cut off. */
function cutAtEnd(tokens: number[][], eos: number): number[][] {
  const lengths = tokens.map((row) => (row.includes(eos) ? row.indexOf(eos) + 1 : row.length));
  const length = Math.max(...lengths);
  return tokens.map((row) => row.slice(0, length));
}
