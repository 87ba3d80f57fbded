import { expect } from "chai";
import { createServer } from "../../server/index.ts";
import { StubBackend } from "../support/server/stub_backend.ts";
import { good } from "../support/server/requests.ts";

/** A generator with a seed: what fails fails again. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const values: unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, -0, "", " ", "a", "alloy", "tts-1", "mp3", "sse", "\u0000", "\ud800"],
  ...["🐕", "<speak>", "[voice:../x]", "__proto__", "../../etc/passwd", "http://localhost/", "x".repeat(3000), [], [1]],
  ...[{}, { id: "alloy" }, { id: null }, { toString: 1 }, [[[[]]]], { length: -1 }, "en_speaker_0", 2 ** 53, "1e3"],
];
const names = [
  ...["model", "input", "voice", "response_format", "speed", "stream_format", "instructions", "seed", "temperature"],
  ...[
    "language",
    "captions",
    "bitrate",
    "greedy",
    "top_k",
    "latency",
    "__proto__",
    "constructor",
    "toString",
    "é\r\nX: y",
  ],
];
const types = [
  "application/json",
  "application/json; charset=latin1",
  "text/plain",
  "multipart/form-data; boundary=x",
  "",
];
const paths = [
  "/v1/audio/speech",
  "/v1/audio/speech",
  "/v1/audio/speech",
  "/v1/audio/voices",
  "/v1/models/%ff",
  "/v1//",
  "/%00",
];
const methods = ["POST", "POST", "POST", "GET", "DELETE", "PUT", "OPTIONS"];

describe("2,000 random requests", () => {
  it("are answered, none of them by a failure", async () => {
    const random = randomOf(20_261_130);
    const pick = <T>(list: readonly T[]): T => list[random(list.length)];
    const failed: string[] = [];
    const log = {
      info: () => undefined,
      warn: () => undefined,
      error: (fields: object) => failed.push(JSON.stringify(fields)),
    };
    const backend = new StubBackend();
    const server = await createServer(backend, { max_input: 2000, uploads: 3, log });
    const statuses = new Map<number, number>();
    for (let i = 0; i < 2000; i++) {
      const body: Record<string, unknown> = random(4) > 0 ? { ...good, response_format: "pcm" } : {};
      for (let n = random(4); n > 0; n--)
        Object.defineProperty(body, pick(names), { value: pick(values), enumerable: true, configurable: true });
      let text: string | Uint8Array<ArrayBuffer> = JSON.stringify(body);
      if (random(10) === 0) text = text.slice(0, random(text.length));
      if (random(10) === 0) {
        text = new TextEncoder().encode(text);
        if (text.length > 0) text[random(text.length)] = random(256);
      }
      const method = pick(methods);
      const headers = { "Content-Type": random(5) > 0 ? types[0] : pick(types) };
      const init = method === "GET" ? { method, headers } : { method, headers, body: text };
      const response = await server.fetch(new Request(`http://localhost${pick(paths)}`, init));
      const answer = await response.text().catch((error: Error) => error.message);
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      if (response.status >= 400) {
        const { error } = JSON.parse(answer) as { error: object };
        expect(error, answer).keys("message", "type", "param", "code");
      }
      if (response.status >= 500) failed.push(`${response.status} ${String(text)}`);
    }
    expect(failed).deep.equal([]);
    expect(statuses.get(200), "some are right").above(50);
    expect(statuses.get(400), "some are wrong").above(200);
    expect([backend.active, server.running]).deep.equal([0, 0]);
  });
});
