import { BarkTTS, BarkWorker, TextSplitterStream, type StreamedPiece, type WorkerLike } from "bark-webgpu";
import { expect } from "chai";
import { BarkServer } from "../../speech/worker/bark_server.ts";
import { concatSamples } from "../../audio/concat.ts";
import { engineErrorOf } from "../support/rejection.ts";

const text = "Hello, my dog is cute. It is a good dog.";
const options = { voice: "en_speaker_1", seed: 7n, semantic_max_new_tokens: 8, retries: 0 } as const;

async function all(parts: AsyncIterable<StreamedPiece>): Promise<StreamedPiece[]> {
  const list: StreamedPiece[] = [];
  for await (const part of parts) list.push(part);
  return list;
}

/** All but the time that it took. */
const told = (parts: readonly StreamedPiece[]) => parts.map((part) => ({ ...part, real_time_factor: 0 }));

describe("BarkWorker and its server, on a channel", () => {
  const { port1, port2 } = new MessageChannel();
  const worker: WorkerLike = {
    postMessage: (message) => port1.postMessage(message),
    addEventListener: (type, listener) => port1.addEventListener(type, listener),
    terminate: () => undefined,
  };
  let server: BarkServer;
  let bark: BarkWorker;
  let tts: BarkTTS;
  before(async () => {
    for (const port of [port1, port2]) port.start();
    server = new BarkServer(port2);
    bark = await BarkWorker.from_pretrained("nano", { worker });
    tts = await BarkTTS.from_pretrained("nano");
  });
  after(() => {
    server.dispose();
    bark.dispose();
    tts.dispose();
    for (const port of [port1, port2]) port.close();
  });

  it("streams what BarkTTS streams, part by part", async () => {
    const expected = await all(tts.stream(text, options));
    expect(expected.length).greaterThan(1);
    expect(told(await all(bark.stream(text, options)))).deep.equal(told(expected));
  });

  it("knows what was loaded", () => {
    expect(bark.list_voices()).deep.equal(tts.list_voices());
    const { sampling_rate, adapter, gpu_bytes } = bark.model;
    expect([sampling_rate, adapter]).deep.equal([24000, tts.model.gpu.adapterName]);
    expect(gpu_bytes).greaterThan(1e7);
  });

  it("speaks a text that is still being written", async () => {
    const written = new TextSplitterStream();
    written.push("Hello, my ", "dog is cute.");
    written.flush();
    written.push(" It is a good dog.");
    written.close();
    const parts = await all(bark.stream(written, options));
    expect(new Set(parts.map(({ text }) => text))).deep.equal(new Set(["Hello, my dog is cute.", "It is a good dog."]));
    expect(concatSamples(parts.map(({ audio }) => audio)).some((sample) => Math.abs(sample) > 0.01)).equal(true);
  });

  it("tells what a text throws while it is written, and reads no more of one that nobody hears", async () => {
    const failing = (async function* () {
      yield "Hello. ";
      throw new RangeError("the writer broke");
    })();
    const error = await all(bark.stream(failing, options)).catch((error: unknown) => error);
    expect(String(error)).equal("RangeError: the writer broke");
    let isLeft = false;
    const endless = (async function* () {
      try {
        for (;;) yield "Hello, my dog is cute. It is a good dog. ";
      } finally {
        isLeft = true;
      }
    })();
    for await (const part of bark.stream(endless, options)) {
      expect(part.piece).equal(0);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve));
    expect(isLeft).equal(true);
  });

  it("stops at once for a signal, and speaks again", async () => {
    const stop = new AbortController();
    const on_progress = (): void => stop.abort();
    const error = await engineErrorOf(() => all(bark.stream(text, { ...options, signal: stop.signal, on_progress })));
    expect(error.code).equal("aborted");
    const [first] = await all(bark.stream("Hello.", options));
    expect(first.audio.length).greaterThan(1000);
  });

  it("refuses a wrong option by its name", async () => {
    const error = await engineErrorOf(() => all(bark.stream("Hello.", { latency: "slow" as never })));
    expect([error.code, error.where]).deep.equal(["usage", "latency"]);
  });
});
