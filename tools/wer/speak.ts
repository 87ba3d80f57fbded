/**
 * Speaks tools/wer/sentences.json with a checkpoint, its voices in turn, for tools/wer/wer.py to hear:
 * `npx tsx tools/wer/speak.ts CHECKPOINT FOLDER [f32] [f16] [q8] [everyday] [lj_short] [lj_long] [--sample]`, without a
 * format in all three, without a set all of them; greedily, or with the checkpoint's sampling settings. Writes FOLDER/{dtype}/{set}_{number}_{voice}.wav. Not part of the tests.
 */
import "../../checkpoint/node/index.ts";
import "../../engine/node/index.ts";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { write_wav } from "../../audio/wav.ts";
import { BarkModel } from "../../bark/model.ts";
import { BarkProcessor } from "../../bark/text/processor.ts";
import { openGpu } from "../../engine/gpu.ts";

const formats = ["f32", "f16", "q8"] as const;
const voices = ["en_speaker_0", "en_speaker_1"];
const batchSize = 13;

const [checkpoint, folder, ...words] = process.argv.slice(2);
const sets = JSON.parse(await readFile(new URL("sentences.json", import.meta.url), "utf8")) as Record<string, string[]>;
const known: readonly string[] = [...formats, ...Object.keys(sets), "--sample"];
const unknown = words.find((word) => !known.includes(word));
if (folder === undefined || unknown !== undefined) {
  console.error(`usage: npx tsx tools/wer/speak.ts CHECKPOINT FOLDER [${known.join("] [")}]`);
  process.exit(2);
}
/** Those that were named, or all. */
const wanted = <T extends string>(names: readonly T[]): readonly T[] => {
  const named = names.filter((name) => words.includes(name));
  return named.length === 0 ? names : named;
};
const greedy = words.includes("--sample") ? { seed: 1 } : { do_sample: false, fine_temperature: null };
const gpu = await openGpu({ onNotice: console.error });
const processor = await BarkProcessor.from_pretrained(checkpoint);

async function speak(model: BarkModel, into: string): Promise<number> {
  const { semantic_config, sample_rate } = model.generation_config;
  const { max_input_semantic_length: max_length } = semantic_config;
  let seconds = 0;
  for (const set of wanted(Object.keys(sets)))
    for (const [turn, voice_preset] of voices.entries()) {
      const ours = sets[set].map((text, number) => ({ text, number })).filter(({ number }) => number % 2 === turn);
      for (let first = 0; first < ours.length; first += batchSize) {
        const part = ours.slice(first, first + batchSize);
        const texts = part.map(({ text }) => text);
        const inputs = await processor(texts, { max_length, voice_preset });
        const [audio, lengths] = await model.generate({ ...inputs, ...greedy, return_output_lengths: true });
        for (const [row, { number }] of part.entries()) {
          const name = `${set}_${String(number).padStart(2, "0")}_${voice_preset}.wav`;
          const samples = audio.row(row).data.slice(0, lengths[row]);
          await write_wav(path.join(into, name), sample_rate, samples);
          seconds += lengths[row] / sample_rate;
        }
      }
    }
  return seconds;
}

for (const dtype of wanted(formats)) {
  const into = path.join(folder, dtype);
  await mkdir(into, { recursive: true });
  using model = await BarkModel.from_pretrained(checkpoint, { gpu, dtype });
  console.error(`${dtype}: ${(await speak(model, into)).toFixed(1)} s of speech`);
}
process.exit(0);
