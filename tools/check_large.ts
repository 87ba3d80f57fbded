/** Loads a whole Bark and runs a semantic prefill and four steps: the part of check_sizes.ts for the large model. */
import { resultOf } from "../engine/result_of.ts";
import "../checkpoint/node/index.ts";
import "../engine/node/index.ts";
import type { CausalWeights } from "../bark/gpt/causal_weights.ts";
import { DecodeSession } from "../bark/gpt/decode_session.ts";
import { BarkModel } from "../bark/model.ts";

const start = performance.now();
const low_memory = process.argv[3] === "low-memory";
const model = await BarkModel.from_pretrained(process.argv[2], { dtype: "f32", onNotice: console.error, low_memory });
const loaded = performance.now();
const { semantic_config } = model.generation_config;
const columns = [0, semantic_config.semantic_vocab_size] as const;

/** @returns milliseconds of the prefill and of the steps. */
async function decode(weights: CausalWeights): Promise<{ prefill: number; four_steps: number }> {
  const began = performance.now();
  const slots = semantic_config.max_input_semantic_length;
  const embeddings = await weights.gatherEmbeddings(Array.from({ length: slots + 1 }, (_, i) => 20000 + i));
  const session = new DecodeSession(weights, {
    rows: 1,
    maxTokens: 5,
    sampling: [{ columns, sample: { ranges: [columns], greedy: true } }],
  });
  await session.prefill([{ embeddings }]);
  await model.gpu.idle();
  const prefilled = performance.now();
  // The first of the five tokens follows from the prefill; the others take a step each.
  await resultOf(session.decode(5));
  session.dispose();
  return { prefill: prefilled - began, four_steps: performance.now() - prefilled };
}

const times = await model.semantic.weights.use(decode);
const milliseconds = Object.entries({ load: loaded - start, ...times }).map(([name, ms]) => [name, Math.round(ms)]);
console.log(
  JSON.stringify({
    adapter: model.gpu.adapterName,
    low_memory,
    milliseconds: Object.fromEntries(milliseconds) as Record<string, number>,
    peak_gpu_bytes: model.gpu.ledger.peakBytes,
  }),
);
model.dispose();
process.exit(0);
