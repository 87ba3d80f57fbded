/**
 * Many requests at once against a server with the real checkpoint: none may be lost, all have to be valid sound, memory has
 * to stay flat. `npx tsx tools/server/load.ts [REQUESTS] [BATCH]`; default 200 and 4.
 */
import http from "node:http";
import { decode_wav } from "../../audio/wav_reader.ts";
import { createServer } from "../../server/index.ts";
import { BarkTTS } from "../../speech/node.ts";

const [requests, batch] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 4)];
const numbers = "one two three four five six seven eight nine ten".split(" ");
const things = "dogs cats birds trees houses rivers stones clouds roads lamps".split(" ");
const formats = ["wav", "mp3", "opus", "flac", "aac", "pcm"];

const tts = await BarkTTS.from_pretrained("nano", { recover: true, onNotice: console.error });
const server = await createServer(tts, { model: "nano", batch, queue_size: 2 * requests, max_wait: 7200 });
const { url } = await server.listen({ port: 0 });

/** @returns seconds of sound, and milliseconds to the first byte and to the last. */
async function ask(i: number): Promise<{ seconds: number; first: number; whole: number }> {
  const began = performance.now();
  const format = i % 4 === 3 ? formats[i % formats.length] : "wav";
  const input = `There are ${numbers[i % 10]} ${things[Math.floor(i / 10) % 10]} today.`;
  const parts: Uint8Array[] = [];
  let first = 0;
  // Not by fetch, which gives up after 300 s without an answer.
  await new Promise<void>((resolve, reject) => {
    const headers = { "Content-Type": "application/json" };
    const request = http.request(`${url}/v1/audio/speech`, { method: "POST", headers, agent: false }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`request ${i}: ${response.statusCode}`));
      response.on("data", (part: Buffer) => {
        first ||= performance.now() - began;
        parts.push(part);
      });
      response.on("end", resolve);
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(JSON.stringify({ model: "tts-1", voice: "alloy", input, response_format: format }));
  });
  const bytes = new Uint8Array(Buffer.concat(parts));
  const whole = performance.now() - began;
  if (format !== "wav") {
    if (bytes.length < 500) throw new Error(`request ${i}: ${bytes.length} bytes of ${format}`);
    return { seconds: 0, first, whole };
  }
  const { audio, sample_rate } = decode_wav(bytes, `request ${i}`, () => undefined);
  const loudest = audio.data.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const seconds = audio.data.length / sample_rate;
  if (seconds < 0.3 || seconds > 14 || loudest < 0.02) throw new Error(`request ${i}: ${seconds} s, peak ${loudest}`);
  return { seconds, first, whole };
}

const megabytes = (): string =>
  `${Math.round(process.memoryUsage.rss() / 1e6)} MB, GPU ${tts.model.gpu.ledger.bytes} B`;
await Promise.all(Array.from({ length: 2 * batch }, (_, i) => ask(i)));
globalThis.gc?.();
console.log(`warm: ${megabytes()}`);
const [began, cpu] = [performance.now(), process.cpuUsage()];
let done = 0;
const answers = await Promise.all(
  Array.from({ length: requests }, async (_, i) => {
    const answer = await ask(i);
    if (++done % Math.ceil(requests / 4) === 0) console.log(`${done} answered: ${megabytes()}`);
    return answer;
  }),
);
const seconds = (performance.now() - began) / 1000;
// Of a software adapter, whose work it is; it does not depend on what else the machine does.
const used = process.cpuUsage(cpu);
const cpuSeconds = (used.user + used.system) / 1e6;
globalThis.gc?.();
const middle = (of: "first" | "whole"): string =>
  (answers.map((answer) => answer[of]).sort((a, b) => a - b)[requests >> 1] / 1000).toFixed(1);
console.log(
  `${requests} requests at once, batch ${batch}: all answered in ${seconds.toFixed(1)} s, ` +
    `${(seconds / requests).toFixed(2)} s each (${(cpuSeconds / requests).toFixed(2)} s of the processor); first byte after ${middle("first")} s, last after ${middle("whole")} s in the middle`,
);
console.log(`end: ${megabytes()}`);
await server.close();
tts.dispose();
process.exit(0);
