import { expect } from "chai";
import OpenAI, { BadRequestError, NotFoundError, RateLimitError } from "openai";
import { concatSamples } from "../../audio/concat.ts";
import { toPcm16 } from "../../audio/wav.ts";
import { writeNpz } from "../../checkpoint/numpy/npz.ts";
import { createServer, type BarkHttpServer } from "../../server/index.ts";
import { BarkTTS } from "../../speech/node.ts";
import { bytesOf, errorOf, good, post, until } from "../support/server/requests.ts";
import { StubBackend } from "../support/server/stub_backend.ts";

/** Two pieces, of which the first is cut to be heard early; short, for a software adapter. */
const text = "Hello, my dog.";
const options = { seed: 7, semantic_max_new_tokens: 8 };
const request = { model: "tts-1", voice: "alloy", input: text, ...options };

/** 16 bits, as in the file. */
function pcm(parts: readonly Float32Array[]): Int16Array {
  return Int16Array.from(concatSamples(parts), toPcm16);
}

function worst(a: Int16Array, b: Int16Array): number {
  expect(a.length).equal(b.length);
  return a.reduce((most, sample, i) => Math.max(most, Math.abs(sample - b[i])), 0);
}

const rejectionOf = async (call: () => Promise<unknown>): Promise<unknown> =>
  await call().then(
    () => expect.fail("it was answered"),
    (error: unknown) => error,
  );

describe("a server with a real checkpoint", function () {
  let tts: BarkTTS;
  let server: BarkHttpServer;
  let url: string;
  let alone: Int16Array;
  const notices: string[] = [];
  before(async () => {
    tts = await BarkTTS.from_pretrained("nano", { recover: true, onNotice: (line) => notices.push(line) });
    server = await createServer(tts, { model: "nano", uploads: 1 });
    ({ url } = await server.listen({ port: 0 }));
    const parts: Float32Array[] = [];
    for await (const { audio } of tts.stream(text, { voice: "en_speaker_0", ...options })) parts.push(audio);
    alone = pcm(parts);
  });
  after(async () => {
    await server.close();
    tts.dispose();
  });

  const speak = async (more: object = {}): Promise<Int16Array> => {
    const response = await post(url, { ...request, response_format: "pcm", ...more });
    expect(response.status).equal(200);
    return new Int16Array((await bytesOf(response)).buffer);
  };

  it("speaks to OpenAI's client for Node what `BarkTTS.stream` gives, streamed and whole", async () => {
    const client = new OpenAI({ apiKey: "any", baseURL: `${url}/v1`, maxRetries: 0 });
    const body = { ...request, response_format: "pcm" } as OpenAI.Audio.SpeechCreateParams;
    const response = await client.audio.speech.create(body);
    expect(worst(new Int16Array(await response.arrayBuffer()), alone)).at.most(1);
    expect(response.headers.get("x-bark-seed")).equal("7");
    const mp3 = await client.audio.speech.create({
      ...request,
      model: "gpt-4o-mini-tts",
      voice: { id: "verse" },
    });
    expect((await mp3.arrayBuffer()).byteLength).above(1000);
    expect((await client.models.list()).data.map(({ id }) => id)).include("nano");
    expect((await client.models.retrieve("tts-1-hd")).owned_by).equal("bark-webgpu");
  });

  it("speaks requests that come at once in one run, each as it is alone", async () => {
    const others = ["Hello, my cat.", "Good day to you."];
    const [first, ...more] = await Promise.all([speak(), ...others.map((input) => speak({ input })), speak()]);
    expect(worst(first, alone)).at.most(1);
    expect(worst(more.at(-1)!, alone)).at.most(1);
    for (const sound of more) expect(sound.length).above(2000);
  });

  it("stops at the next readback when the client goes away, and then speaks right", async () => {
    for (const after of [0, 300]) {
      const stop = new AbortController();
      const long = { ...request, input: "word ".repeat(100), semantic_max_new_tokens: 300 };
      const answered = post(url, long, { signal: stop.signal }).then(bytesOf, () => undefined);
      await until(() => server.running === 1, "it is spoken");
      await new Promise((resolve) => setTimeout(resolve, after));
      stop.abort();
      await answered.catch(() => undefined);
      await until(() => server.running === 0, "it is stopped");
    }
    expect(worst(await speak(), alone)).at.most(1);
  });

  it("answers a request whose device is lost, with the same sound", async () => {
    const { gpu } = tts.model;
    const speaking = speak();
    await until(() => server.running === 1, "it is spoken");
    gpu.device.destroy();
    expect(worst(await speaking, alone)).at.most(1);
    expect(tts.model.gpu === gpu, "another device").equal(false);
    expect(notices.some((line) => line.includes("opened anew"))).equal(true);
  });

  it("speaks with a voice that was uploaded, and refuses what is none", async () => {
    const upload = async (name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Response> => {
      const form = new FormData();
      form.set("name", name);
      form.set("file", new File([bytes], "voice.npz"));
      return await fetch(`${url}/v1/audio/voices`, { method: "POST", body: form });
    };
    const error = await errorOf(await upload("bad", new Uint8Array(100)));
    expect(error).include({ status: 400, param: "file", code: "invalid_value" });
    const voice = await tts.processor.loadVoice("en_speaker_0");
    expect((await upload("copy", writeNpz({ ...voice }))).status).equal(200);
    expect(worst(await speak({ voice: { id: "copy" } }), alone)).at.most(1);
  });
});

describe("OpenAI's client for Node", () => {
  it("understands what is refused, and waits as long as it is told", async () => {
    const backend = new StubBackend();
    const server = await createServer(backend, { queue_size: 1 });
    const { url } = await server.listen({ port: 0 });
    const client = new OpenAI({ apiKey: "any", baseURL: `${url}/v1`, maxRetries: 0 });
    const refused = await rejectionOf(() => client.audio.speech.create({ ...good, speed: 2 }));
    expect(refused).instanceOf(BadRequestError).include({ code: "unsupported_value", param: "speed" });
    expect((refused as BadRequestError).requestID).match(/^req_/);
    const none = await rejectionOf(() => client.models.retrieve("none"));
    expect(none).instanceOf(NotFoundError).include({ code: "model_not_found" });
    backend.wait = 2000;
    const waiting = client.audio.speech.create({ ...good, input: "Hello" });
    await until(() => backend.active === 1, "it is spoken");
    const busy = await rejectionOf(() => client.audio.speech.create(good));
    expect(busy).instanceOf(RateLimitError).include({ code: "queue_full" });
    const again = client.audio.speech.create(good, { maxRetries: 5 });
    await (await waiting).arrayBuffer();
    expect((await (await again).arrayBuffer()).byteLength).above(1000);
    await server.close();
  });
});
