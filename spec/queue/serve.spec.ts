import { expect } from "chai";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fingerprintOf } from "../../bark/load/fingerprint.ts";
import { openCheckpoint } from "../../bark/load/open_checkpoint.ts";
import { voiceOf } from "../../speech/speak.ts";
import { BarkTTS } from "../../speech/node.ts";
import { writeNpz } from "../../checkpoint/numpy/npz.ts";
import { createServer, type BarkHttpServer, type ServerOptions } from "../../server/index.ts";
import { Farm } from "../../server/queue/farm.ts";
import type { Kind } from "../../server/queue/kind.ts";
import type { PieceRequest } from "../../server/queue/piece_worker.ts";
import { speakBy } from "../../server/queue/speak_piece.ts";
import { openStore, type FarmStore } from "../../server/queue/stores/open.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { bytesOf, errorOf, post, until } from "../support/server/requests.ts";
import { StubBackend } from "../support/server/stub_backend.ts";
import { hasRedis, RedisServer } from "./redis_server.ts";
import { startWorker, stopWorkers } from "./stub_farm.ts";

const small = path.resolve("spec/fixtures/torch/suno");
const input = "The dog is here now, and hello.\n\nA dog is hello here.\n\nHello is the dog hello.";
/** Of three pieces, each spoken once. */
const long = {
  ...{ model: "tts-1", input, voice: "mine", seed: 3, retries: 0, semantic_max_new_tokens: 4 },
  ...{ response_format: "pcm", stream_format: "sse", captions: true },
};
const short = { ...long, input: "Hello dog" };

interface Event {
  type: string;
  audio: string;
  text: string;
  start: number;
  usage: Record<string, number>;
  error: { code: string };
}

describe("a server that hands long texts to a farm", function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let folder: string;
  let store: FarmStore;
  let farm: Farm;
  let tts: BarkTTS;
  let kind: Kind;
  let voice: Uint8Array<ArrayBuffer>;
  let server: BarkHttpServer | undefined;
  before(async function () {
    if (!hasRedis) this.skip(); // apt-get install redis-server
    redis = await RedisServer.start();
    folder = await mkdtemp(path.join(tmpdir(), "bark-serve-"));
    store = await openStore(path.join(folder, "store"));
    farm = await Farm.open(redis.url, () => undefined);
    const files = await openCheckpoint(small, { onNotice: () => undefined });
    kind = { version: "1", checkpoint: await fingerprintOf(files), dtype: "as stored", store: store.id };
    tts = await BarkTTS.from_pretrained(small, { recover: true, names_only: true, onNotice: () => undefined });
    const { input_ids, attention_mask } = await tts.processor("hello");
    const run = await tts.model.generate_output({ input_ids, attention_mask, seed: 1, semantic_max_new_tokens: 8 });
    voice = writeNpz({ ...voiceOf(tts.model, run) });
  });
  after(async () => {
    (tts as BarkTTS | undefined)?.dispose();
    await (farm as Farm | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });
  afterEach(async () => {
    await server?.close({ drain: 0 });
    server = undefined;
    stopWorkers();
  });

  async function serve(options: ServerOptions): Promise<string> {
    server = await createServer(tts, { uploads: 1, ...options });
    const { url } = await server.listen({ port: 0 });
    const form = new FormData();
    form.set("name", "mine");
    form.set("file", new Blob([voice]), "mine.npz");
    const uploaded = await fetch(`${url}/v1/audio/voices`, { method: "POST", body: form });
    expect(uploaded.status, await uploaded.text()).equal(200);
    return url;
  }
  const byFarm = (): ServerOptions => ({ farm: { farm, store, kind, from: 40 } });
  /** Speaks by the model of the server: what is asked here is the way. */
  const worker = async (before: (request: PieceRequest) => Promise<void> = async () => undefined) => {
    const spoken: string[] = [];
    const speak = speakBy(tts.model, tts.processor, () => undefined);
    const started = await startWorker(
      redis.url,
      store,
      async (request) => {
        await before(request);
        spoken.push(request.piece.text);
        await speak(request);
      },
      { kind, rate: tts.model.generation_config.sample_rate },
    );
    return { spoken, stop: async () => await started.stop() };
  };
  const eventsOf = async (response: Response): Promise<Event[]> => {
    const text = await response.text();
    expect(response.status, text).equal(200);
    const blocks = text.split("\n\n").slice(0, -1);
    return blocks.map((block) => JSON.parse(block.replace("data: ", "")) as Event);
  };
  const soundOf = (events: readonly Event[]): Buffer =>
    Buffer.concat(events.map(({ audio = "" }) => Buffer.from(audio, "base64")));
  /** Here the first piece is decoded in parts, which rounds otherwise in its last bit. */
  const expectSame = (a: Uint8Array, b: Uint8Array): void => {
    const [here, there] = [a, b].map((bytes) => new Int16Array(Uint8Array.from(bytes).buffer));
    expect(there.length).equal(here.length);
    expect(here.reduce((most, sample, i) => Math.max(most, Math.abs(sample - there[i])), 0)).at.most(1);
  };
  const left = async (): Promise<string[]> => await readdir(path.join(store.files.name, "requests")).catch(() => []);

  it("answers what the GPU here would, the sound but for a last bit, and short texts without the farm", async () => {
    const alone = await serve({});
    const here = await eventsOf(await post(alone, long));
    // Without a preset: a voice that is made up.
    const madeUp = await bytesOf(await post(alone, { ...long, stream_format: "audio", voice: "alloy" }));
    await server!.close();
    const { spoken, stop } = await worker();
    const url = await serve(byFarm());
    const there = await eventsOf(await post(url, long));
    expect(spoken).have.length(3);
    expectSame(soundOf(here), soundOf(there));
    const said = (events: readonly Event[]) => events.filter(({ type }) => type === "speech.audio.done");
    expect(said(there)[0].usage.output_tokens).above(3);
    expect(said(there)).deep.equal(said(here));
    const captions = there.filter(({ type }) => type === "speech.audio.segment");
    expect(captions.map(({ text }) => text)).deep.equal(spoken);
    const stream = await post(url, { ...long, stream_format: "audio", voice: "alloy" });
    expect(stream.headers.get("x-bark-seed")).equal("3");
    expectSame(madeUp, await bytesOf(stream));
    expect(spoken).have.length(6);
    for (const stays of [short, { ...long, split: "none" }, { ...long, latency: "low" }])
      await eventsOf(await post(url, { ...stays, retries: undefined }));
    expect(spoken).have.length(6);
    expect(await errorOf(await post(url, { ...long, top_k: -1 }))).include({ status: 400, param: "top_k" });
    expect([await left(), await farm.books()]).deep.equal([[], []]);
    await stop();
  });

  it("takes a text out of the farm when its client leaves", async () => {
    const { spoken, stop } = await worker();
    const url = await serve(byFarm());
    const leaving = new AbortController();
    const response = await post(url, long, { signal: leaving.signal });
    await response.body!.getReader().read();
    leaving.abort();
    await until(() => server!.running === 0, "it is given up");
    await server!.close();
    expect([await left(), await farm.books()]).deep.equal([[], []]);
    expect(spoken.length).below(4);
    await stop();
  });

  it("answers 503 where no worker speaks, keeps nobody here waiting meanwhile, and leaves nothing in the farm", async () => {
    const url = await serve({ ...byFarm(), max_wait: 1.5 });
    const waiting = post(url, { ...long, input: `${input} `.repeat(50) });
    await until(() => server!.running === 1, "it waits");
    expect((await eventsOf(await post(url, short))).length).above(1);
    const response = await waiting;
    expect(response.headers.get("x-should-retry")).equal("false");
    const error = await errorOf(response);
    expect(error).include({ status: 503, code: "farm_silent", type: "server_error" });
    expect(error.message).equal("No worker of the farm spoke for 1.5 s; try again later.");
    await server!.close();
    expect([await left(), await farm.books()]).deep.equal([[], []]);
  });

  it("ends a speech whose farm falls silent in the middle", async () => {
    let isStopped = false;
    await worker(async ({ signal }) => {
      if (!isStopped) isStopped = true;
      else await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    const events = await eventsOf(await post(await serve({ ...byFarm(), max_wait: 1.5 }), long));
    expect(events.at(-1)).deep.include({ type: "error" });
    expect(events.at(-1)!.error.code).equal("farm_silent");
    expect(soundOf(events).length).above(0);
  });

  it("answers 503 while Redis is gone, speaks short texts, and goes on when it is back", async () => {
    const url = await serve({ ...byFarm(), max_wait: 1 });
    await redis.stop();
    expect(await errorOf(await post(url, long))).include({ status: 503, code: "farm_silent" });
    expect((await eventsOf(await post(url, short))).length).above(1);
    await redis.restart();
    const { stop } = await worker();
    await server!.close();
    const again = await serve(byFarm());
    expect((await eventsOf(await post(again, long))).at(-1)!.type).equal("speech.audio.done");
    await server!.close();
    expect([await left(), await farm.books()]).deep.equal([[], []]);
    await stop();
  });

  it("answers 503 where Redis is full", async () => {
    const url = await serve(byFarm());
    await farm.connection.redis.config("SET", "maxmemory", "1");
    try {
      expect(await errorOf(await post(url, long))).include({ status: 503, code: "farm_failed" });
    } finally {
      await farm.connection.redis.config("SET", "maxmemory", "0");
    }
    await server!.close();
    expect(await left()).deep.equal([]);
  });

  it("needs a model of its own, which plans the texts", async () => {
    const error = await engineErrorOf(async () => await createServer(new StubBackend(), byFarm()));
    expect(error.message).match(/^farm: needs a model here/);
    const wrong = { farm: { farm, store, kind, from: 0 } };
    expect((await engineErrorOf(async () => await createServer(tts, wrong))).message).match(/farm.*from/);
  });
});
