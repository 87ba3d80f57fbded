/**
 * Speaks everyday sentences greedily with the embedded checkpoint, its voices and every weight format, for tools/wer.py
 * to recognise: `npx tsx tools/wer.ts FOLDER [f32] [f16] [q8]`. Writes FOLDER/sentences.json and
 * FOLDER/{dtype}/{voice}_{n}.wav (16 kHz pcm16, which recognisers take). Not part of the tests.
 */
import "../checkpoint/node/index.ts";
import "../engine/node/index.ts";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { BarkModel } from "../bark/model.ts";
import { BarkProcessor } from "../bark/text/processor.ts";
import { resample } from "../audio/resample.ts";
import { write_wav } from "../audio/wav.ts";
import { openGpu } from "../engine/gpu.ts";

const checkpoint = "models/nano";
const formats = ["f32", "f16", "q8"] as const;
const voices = ["en_speaker_0", "en_speaker_1"];
const recogniserRate = 16000;
const sentences = [
  "Hello, my dog is cute.",
  "It will rain tomorrow in the north of the country.",
  "Where did you put the key to the red door?",
  "The train to the city leaves in ten minutes.",
  "She bought some bread and a bottle of milk.",
  "We are going to the beach next weekend.",
  "Please turn off the light before you leave.",
  "He works in a small office near the station.",
  "My brother plays the piano every evening.",
  "The children are playing in the garden.",
  "I would like a cup of coffee, please.",
  "Can you help me with this heavy box?",
  "The meeting starts at nine in the morning.",
  "There is a good restaurant around the corner.",
  "They walked along the river for two hours.",
];

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: npx tsx tools/wer.ts FOLDER [f32] [f16] [q8]");
  process.exit(2);
}
await mkdir(folder, { recursive: true });
await writeFile(path.join(folder, "sentences.json"), JSON.stringify(sentences, undefined, 1));
const gpu = await openGpu({ onNotice: console.error });
const processor = await BarkProcessor.from_pretrained(checkpoint);
for (const dtype of formats.filter((format) => wanted.length === 0 || wanted.includes(format))) {
  const model = await BarkModel.from_pretrained(checkpoint, { gpu, dtype });
  const { semantic_config, sample_rate } = model.generation_config;
  const { max_input_semantic_length: max_length } = semantic_config;
  await mkdir(path.join(folder, dtype), { recursive: true });
  for (const voice_preset of voices) {
    const inputs = await processor(sentences, { max_length, voice_preset });
    const greedy = { do_sample: false, fine_temperature: null, return_output_lengths: true } as const;
    const [audio, lengths] = await model.generate({ ...inputs, ...greedy });
    for (const [row, length] of lengths.entries()) {
      const samples = await resample(audio.row(row).data.slice(0, length), sample_rate, recogniserRate);
      await write_wav(path.join(folder, dtype, `${voice_preset}_${row}.wav`), recogniserRate, samples);
    }
    const seconds = lengths.reduce((sum, length) => sum + length, 0) / sample_rate;
    console.error(`${dtype}, ${voice_preset}: ${seconds.toFixed(1)} s of speech`);
  }
  model.dispose();
}
process.exit(0);
