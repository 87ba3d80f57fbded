/**
 * How soon a stream is heard, and what it costs: `npx tsx tools/stream/first_sound.ts [MODEL] [TEXT]`. Runs take turns with
 * `generate` (rounds of them), and shares are of its time. Then how long the GPU works on after `return()`.
 */
import { BarkTTS } from "../../speech/node.ts";
import type { StreamOptions } from "../../speech/speak_options.ts";

const [
  source = "nano",
  text = "Once upon a time, there was a dog who lived by the sea. Every morning he ran along the beach, and every evening he slept by the fire.",
] = process.argv.slice(2);
const rounds = 3;
/** -45 dB below full scale: what a listener hears. */
const audible = 10 ** (-45 / 20);

const tts = await BarkTTS.from_pretrained(source);
const [voice = null] = tts.list_voices();
const settings = { voice, seed: 7 };

async function whole(): Promise<number> {
  const began = performance.now();
  await tts.generate(text, settings);
  return performance.now() - began;
}

/** Milliseconds until the first audible sample, and until the end. */
async function streamed(options: StreamOptions): Promise<{ first: number; total: number; parts: number }> {
  const began = performance.now();
  let [first, parts] = [NaN, 0];
  for await (const { audio } of tts.stream(text, { ...settings, ...options })) {
    parts++;
    if (Number.isNaN(first) && audio.some((sample) => Math.abs(sample) > audible)) first = performance.now() - began;
  }
  return { first, total: performance.now() - began, parts };
}

/** Milliseconds from `return()` to the end of the work that was under way. */
async function stopped(after: number): Promise<number> {
  const stream = tts.stream(text, settings);
  const next = stream.next();
  await new Promise((resolve) => setTimeout(resolve, after));
  const began = performance.now();
  await stream.return();
  await tts.model.gpu.idle();
  const took = performance.now() - began;
  await next;
  return took;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];
const ways: Readonly<Record<string, StreamOptions>> = {
  exact: {},
  "exact, no retries": { retries: 0 },
  low: { latency: "low" },
};

await whole(); // Compiles the kernels.
const times: number[] = [];
const runs = Object.fromEntries(Object.keys(ways).map((name) => [name, [] as Awaited<ReturnType<typeof streamed>>[]]));
for (let round = 0; round < rounds; round++) {
  times.push(await whole());
  for (const [name, options] of Object.entries(ways)) runs[name].push(await streamed(options));
}
const total = median(times);
console.log(`${tts.model.device}, ${source}: generate ${(total / 1000).toFixed(1)} s (median of ${rounds})`);
const percent = (value: number): string => `${((100 * value) / total).toFixed(0)} %`;
for (const [name, all] of Object.entries(runs))
  console.log(
    `${name}: first sound ${percent(median(all.map(({ first }) => first)))}, all ${percent(median(all.map(({ total: end }) => end)))}, ${all[0].parts} parts`,
  );
const stops: number[] = [];
for (const share of [0.1, 0.3, 0.6]) stops.push(await stopped(share * total));
console.log(`stop after return(): ${stops.map((ms) => `${ms.toFixed(0)} ms`).join(", ")}`);
tts.dispose();
