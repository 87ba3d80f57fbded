/**
 * What batches save: `npx tsx tools/stream/batch.ts [MODEL] [BATCH]`. One text of sentences of many lengths (LJ Speech's hold-outs
 * of tools/wer), spoken a piece at a time and BATCH (4) pieces at once, in turns.
 */
import { readFileSync } from "node:fs";
import { BarkTTS } from "../../speech/node.ts";

const [source = "nano", batch = "4"] = process.argv.slice(2);
const rounds = 3;

const sentences = JSON.parse(readFileSync(new URL("../wer/sentences.json", import.meta.url), "utf8")) as {
  lj_long: string[];
};
const text = sentences.lj_long.join(" ");
const tts = await BarkTTS.from_pretrained(source);
const [voice = null] = tts.list_voices();

/** Seconds of speech a second of the clock, and the sound. */
async function spoken(pieces: number): Promise<{ rate: number; audio: Float32Array; text: string }> {
  const [began, used] = [performance.now(), process.cpuUsage()];
  const { audio, sampling_rate } = await tts.generate(text, { voice, seed: 7, batch: pieces });
  const [seconds, { user, system }] = [(performance.now() - began) / 1000, process.cpuUsage(used)];
  const sound = audio.length / sampling_rate;
  const processor = ((user + system) / 1e6).toFixed(1);
  return {
    rate: sound / seconds,
    audio,
    text: `${sound.toFixed(1)} s in ${seconds.toFixed(1)} s (processor ${processor} s)`,
  };
}

const many = Number(batch);
await spoken(many); // Compiles the kernels.
const ratios: number[] = [];
for (let round = 0; round < rounds; round++) {
  const [alone, together] = [await spoken(1), await spoken(many)];
  const isSame = alone.audio.every((sample, i) => Math.abs(sample - together.audio[i]) <= 1e-6);
  ratios.push(together.rate / alone.rate);
  console.log(
    `one at a time: ${alone.text}; ${many} at once: ${together.text}: ${ratios[round].toFixed(2)} times the speech a second, ` +
      (isSame ? "the same sound" : "OTHER SOUND"),
  );
}
console.log(`median ${ratios.sort((a, b) => a - b)[rounds >> 1].toFixed(2)}`);
tts.dispose();
