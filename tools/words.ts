/**
 * How far estimated word times are from the truth: `npx tsx tools/words.ts [SET] [--sample]`. The embedded checkpoint says in
 * its tokens which word comes next (tools/word_pointers.ts); the estimate never looks at what these mean. SET of
 * tools/wer/sentences.json (default: everyday) is spoken in both voices, greedily or sampled. Not part of the tests.
 */
import { readFile } from "node:fs/promises";
import { estimateWords } from "../speech/words/estimate.ts";
import { BarkTTS } from "../speech/node.ts";
import { wordStarts } from "./word_pointers.ts";

const [set = "everyday"] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const sampling = process.argv.includes("--sample") ? { do_sample: true, seed: 1 } : { do_sample: false };
const file = await readFile(new URL("wer/sentences.json", import.meta.url), "utf8");
const texts = (JSON.parse(file) as Record<string, string[]>)[set];
const { model, processor } = await BarkTTS.from_pretrained("nano");
const { semantic_config } = model.generation_config;
const { max_input_semantic_length: max_length, semantic_rate_hz } = semantic_config;

/** Milliseconds between estimate and truth of each word, and between truth and a division of the time by letters. */
const errors: number[] = [];
const ofLetters: number[] = [];
/** Of the most that is possible: what the threshold in speech/words/word_timer.ts is chosen by. */
const gains: number[] = [];
let [said, spent] = [0, 0];
for (const voice_preset of processor.available_voice_presets)
  for (const text of texts) {
    const { history_prompt, ...inputs } = await processor(text, { max_length, voice_preset });
    const given = { ...inputs, history_prompt: history_prompt ?? null, semantic_generation_config: semantic_config };
    let began = performance.now();
    const tokens = Array.from((await model.semantic.generate({ ...given, ...sampling })).row(0).data);
    said += performance.now() - began;
    began = performance.now();
    const found = await estimateWords(model, processor.tokenizer, { text, voice: given.history_prompt, tokens });
    spent += performance.now() - began;
    if (found === undefined) throw new Error(`no words: ${text}`);
    if (found.words.length > 1) gains.push(found.alignment.gain / Math.log(found.words.length));
    const truth = wordStarts(tokens);
    const length = [...tokens, semantic_config.eos_token_id].indexOf(semantic_config.eos_token_id);
    for (const [i, { first, from }] of found.words.entries()) {
      const start = truth.get(first);
      if (start === undefined) continue;
      errors.push((Math.abs(found.alignment.starts[i] - start) / semantic_rate_hz) * 1000);
      ofLetters.push((Math.abs((from / text.length) * length - start) / semantic_rate_hz) * 1000);
    }
  }

for (const [name, values] of Object.entries({ attention: errors, letters: ofLetters })) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string => sorted[Math.floor(share * (sorted.length - 1))].toFixed(0);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  console.log(
    `${name}: median ${at(0.5)} ms, mean ${mean.toFixed(0)}, 90 % within ${at(0.9)} (${values.length} words)`,
  );
}
console.log(`gain: ${Math.min(...gains).toFixed(2)} to ${Math.max(...gains).toFixed(2)} of the most that is possible`);
console.log(`the pass took ${((100 * spent) / said).toFixed(0)} % of the time of the semantic stage`);
process.exit(0);
