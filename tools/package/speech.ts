import path from "node:path";
import { mustRun, softwareAdapter } from "./project.ts";

/** Speaks some tokens without sampling, so that all runtimes say the same, and prints its samples in millionths. */
export const speakText = (source: string): string => `import { BarkTTS } from "${source}";
const tts = await BarkTTS.from_pretrained("nano");
const { audio } = await tts.generate("Hello", {
  do_sample: false, fine_temperature: null, semantic_max_new_tokens: 10,
});
console.log("SAMPLES " + JSON.stringify(Array.from(audio, (sample) => Math.round(sample * 1e6))));
tts.dispose();
`;

/** What the checkout says. */
export async function expectedSpeech(): Promise<number[]> {
  const root = path.resolve(import.meta.dirname, "../..");
  const script = ["--import", "tsx", "--input-type=module", "--eval", speakText(`${root}/speech/node.ts`)];
  return samplesIn((await mustRun(process.execPath, script, root, await softwareAdapter())).stdout);
}

export function samplesIn(output: string): number[] {
  const line = /^SAMPLES (.*)$/m.exec(output);
  if (line === null) throw new Error(`no samples were printed:\n${output}`);
  return JSON.parse(line[1]) as number[];
}

/** Rounding differs from one compiler of shaders to the next. */
const tolerance = 100;

/** @throws Error for another length, silence, or a sample that differs by more than 0.0001. */
export function sameSpeech(actual: readonly number[], expected: readonly number[]): void {
  if (actual.length !== expected.length) throw new Error(`${actual.length} samples instead of ${expected.length}`);
  if (!expected.some((sample) => Math.abs(sample) > 10 * tolerance)) throw new Error("the checkout says nothing");
  const wrong = actual.findIndex((sample, i) => !(Math.abs(sample - expected[i]) <= tolerance));
  if (wrong >= 0) throw new Error(`sample ${wrong} is ${actual[wrong]} instead of ${expected[wrong]} millionths`);
}

/** @throws Error if this is no WAV file of speech at 24 kHz. */
export function checkWav(file: Uint8Array): void {
  const bytes = Buffer.from(file);
  const first = bytes.indexOf("data") + 8; // Tags may stand before the samples.
  const rate = bytes.readUInt32LE(24);
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset + first, bytes.byteOffset + bytes.length));
  const isLoud = samples.some((sample) => Math.abs(sample) > 1000);
  if (bytes.toString("latin1", 0, 4) !== "RIFF" || rate !== 24000 || samples.length < rate / 2 || !isLoud)
    throw new Error(`no speech: ${bytes.length} bytes, ${rate} Hz`);
}
