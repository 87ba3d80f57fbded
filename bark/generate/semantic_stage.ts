import { resultOf } from "../../engine/result_of.ts";
import { Memo } from "../../engine/memo.ts";
import type { IdRange } from "../../kernels/sample/sample.ts";
import type { CausalWeights, PrefillInput } from "../gpt/causal_weights.ts";
import { DecodeSession } from "../gpt/decode_session.ts";
import { positionsError } from "../gpt/causal_decoder.ts";
import type { SemanticOptions } from "./options/generate_options.ts";
import type { BarkSemanticGenerationConfig } from "../config/generation_config.ts";
import { inferredMask, needsHost } from "./search/needs_host.ts";
import {
  dummyIds,
  maxSemanticTokens,
  semanticInput,
  semanticRanges,
  withoutEnd,
  type SemanticInput,
} from "./semantic_plan.ts";
import type { SemanticRequest } from "./stage_run.ts";
import { drawStages, sampling, type StageRun } from "./stage_run.ts";
import type { BatchVoice } from "../voice/history_prompt.ts";

type SemanticArguments = [
  model: CausalWeights,
  ids: number[][],
  history: BatchVoice,
  config: BarkSemanticGenerationConfig,
  options: SemanticOptions,
  run: StageRun,
];

/** {@link streamSemantic} to its end. */
export async function generateSemantic(...given: SemanticArguments): Promise<number[][]> {
  return await resultOf(streamSemantic(...given));
}

/**
 * Text to semantic tokens (bark-spec 4.2).
 * @param ids of the tokenizer, [batch][length].
 * @yields the tokens so far, after each readback that the speech did not end before; a search on the host, whose tokens can
 * change to its end, none.
 * @returns [batch][n] generated tokens, end of speech included; rows that ended early are filled with it.
 */
export async function* streamSemantic(
  ...[model, ids, history, config, options, run]: SemanticArguments
): AsyncGenerator<number[][], number[][], undefined> {
  const mask = options.attention_mask === null ? null : (options.attention_mask.tolist() as number[][]);
  const embeddings = await embed(model, semanticInput(ids, mask, history, config));
  const request: SemanticRequest = {
    model,
    inputs: embeddings.map((row) => ({ embeddings: row })),
    config,
    options,
    run,
  };
  run.report(0, options.max_new_tokens);
  if (picksOnGpu(options, config, model.config.output_vocab_size)) return yield* decodeSemantic(request);
  const { searchSemantic } = await import("./search/semantic_search.ts");
  return await searchSemantic(request);
}

/** Whether the GPU's kernel can follow the options; `min_eos_p` and the least length need Bark's end of speech there. */
function picksOnGpu(options: SemanticOptions, config: BarkSemanticGenerationConfig, vocabulary: number): boolean {
  const { eos_token_id: eos, pad_token_id: pad, min_eos_p } = options;
  if (needsHost(options) || (eos !== null && eos.length > 1)) return false;
  const isBarks = eos !== null && eos[0] === config.eos_token_id;
  const needsBarks = min_eos_p !== null || leastTokens(options, config) > 0;
  return (isBarks || !needsBarks) && inferredMask([dummyIds(config)], pad, eos) === null && (pad ?? 0) < vocabulary;
}

/** Tokens before the end of speech may come. */
function leastTokens({ min_length, min_new_tokens }: SemanticOptions, config: BarkSemanticGenerationConfig): number {
  return min_new_tokens ?? Math.max(0, (min_length ?? 0) - dummyIds(config).length);
}

async function* decodeSemantic({
  model,
  inputs,
  config,
  options,
  run,
}: SemanticRequest): AsyncGenerator<number[][], number[][], undefined> {
  const { output_vocab_size, block_size } = model.config;
  const ranges = semanticRanges(config, output_vocab_size) as [IdRange] | [IdRange, IdRange];
  const eos = options.eos_token_id?.[0];
  const eosIsAllowed = eos !== undefined && ranges.some(([start, end]) => eos >= start && eos < end);
  const columns: [number, number] = [0, Math.max(...ranges.map(([, end]) => end))];
  const pad = options.pad_token_id ?? eos;
  const rows = inputs.flatMap((input) => new Array<PrefillInput>(options.num_return_sequences).fill(input));
  const common = sampling(options, {
    seed: run.seed,
    stage: drawStages.semantic,
    drawRows: run.drawRows(rows.length),
  });
  const count = Math.min(options.max_new_tokens, maxSemanticTokens(config, block_size));
  const least = leastTokens(options, config);
  const whole = {
    columns,
    sample: {
      ranges,
      ...(eosIsAllowed ? { eos } : {}),
      ...(pad === undefined ? {} : { pad }),
      minEosP: options.min_eos_p ?? 0,
      ...common,
    },
  };
  const endless = { columns, sample: { ranges: withoutEnd(ranges, config.eos_token_id), ...common } };
  const session = new DecodeSession(model, {
    rows: rows.length,
    maxTokens: count,
    tokensPerReadback: run.tokensPerReadback,
    sampling: least > 0 ? [whole, endless] : [whole],
    entryAt: (step) => (step < least ? 1 : 0),
  });
  const stop = stopsLate(options.max_time);
  try {
    await session.prefill(rows, run.signal);
    let tokens: number[][] = [];
    let isStopped = false;
    for await (tokens of session.decode(count)) {
      run.report(tokens[0].length, options.max_new_tokens);
      isStopped = stop() || (eos !== undefined && tokens.every((row) => row.includes(eos)));
      if (isStopped) break;
      yield tokens;
    }
    if (!isStopped && options.max_new_tokens > count) throw positionsError(block_size);
    return eos === undefined ? tokens : cutAtEnd(tokens, eos);
  } finally {
    session.dispose();
  }
}

/** @returns whether the time is over; it counts from this call. */
function stopsLate(seconds: number | null): () => boolean {
  const start = performance.now();
  return () => seconds !== null && performance.now() - start > seconds * 1000;
}

/** The prefill's embeddings of each row: text and history summed, then the infer token. [slots + 1, hidden_size] */
export async function embed(model: CausalWeights, input: SemanticInput): Promise<Float32Array<ArrayBuffer>[]> {
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
