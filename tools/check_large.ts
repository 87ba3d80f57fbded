/** Loads a whole Bark and runs a semantic prefill and four steps: the part of check_sizes.ts for the large model. */
import "../engine/node/index.ts";
import { CausalSession } from "../bark/causal_session.ts";
import { BarkModel } from "../bark/model.ts";

const start = performance.now();
const model = await BarkModel.from_pretrained(process.argv[2], { dtype: "f32", onNotice: console.error });
const loaded = performance.now();
const { semantic_config } = model.generation_config;
const slots = semantic_config.max_input_semantic_length;
const embeddings = await model.semantic.gatherEmbeddings(Array.from({ length: slots + 1 }, (_, i) => 20000 + i));
const columns = [0, semantic_config.semantic_vocab_size] as const;
const session = new CausalSession(model.semantic, {
  rows: 1,
  maxTokens: 5,
  sampling: [{ columns, sample: { ranges: [columns], greedy: true } }],
});
await session.prefill([{ embeddings }]);
await model.gpu.idle();
const prefilled = performance.now();
// The first of the five tokens follows from the prefill; the others take a step each.
await session.decode(5, async () => (await session.readTokens()).length === 0);
const stepped = performance.now();
console.log(
  JSON.stringify({
    adapter: model.gpu.adapterName,
    milliseconds: {
      load: Math.round(loaded - start),
      prefill: Math.round(prefilled - loaded),
      four_steps: Math.round(stepped - prefilled),
    },
    peak_gpu_bytes: model.gpu.ledger.peakBytes,
  }),
);
session.dispose();
model.dispose();
process.exit(0);
