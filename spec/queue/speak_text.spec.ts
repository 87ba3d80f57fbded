import { expect } from "chai";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { BarkGenerationConfig } from "../../bark/config/generation_config.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import type { EngineError } from "../../engine/errors.ts";
import { Farm } from "../../server/queue/farm.ts";
import type { PieceRequest } from "../../server/queue/piece_worker.ts";
import { speakByFarm, type FarmVoice } from "../../server/queue/speak_text.ts";
import { openStore, type FarmStore } from "../../server/queue/stores/open.ts";
import { hasRedis, RedisServer } from "./redis_server.ts";
import { kindOf, rate, soundOf, speakStub, startWorker, stopWorkers } from "./stub_farm.ts";

/** What planning asks of a checkpoint. */
const generation = {
  semantic_config: { max_input_semantic_length: 256, max_new_tokens: 768, semantic_rate_hz: 49.9 },
  sample_rate: rate,
} as BarkGenerationConfig;
const processor = {
  tokenizer: { encode: (text: string) => text.split(" ").map((_, i) => i + 1), unk_token_id: 0 },
} as unknown as BarkProcessor;

const text =
  "The first sentence is here, and it is a long one.\n\nThe second one follows it.\n\nThe third one ends it all.";

describe("speech by a farm, for a server", function () {
  this.timeout(30_000);
  let server: RedisServer;
  let folder: string;
  let store: FarmStore;
  let farm: Farm;
  let voice: FarmVoice;
  before(async function () {
    if (!hasRedis) this.skip(); // apt-get install redis-server
    server = await RedisServer.start();
    folder = await mkdtemp(path.join(tmpdir(), "bark-speech-"));
    store = await openStore(path.join(folder, "store"));
    farm = await Farm.open(server.url, () => undefined);
    voice = { farm, store, kind: kindOf(store), generation, processor, poll: 10 };
  });
  after(async () => {
    await (farm as Farm | undefined)?.close();
    await (server as RedisServer | undefined)?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });
  afterEach(stopWorkers);
  const given = { kwargs: {}, seed: 3, notice: () => undefined };
  const left = async (): Promise<string[]> => await readdir(path.join(store.files.name, "requests")).catch(() => []);

  it("gives its pieces out in order, whichever comes first, and leaves nothing behind", async () => {
    let first = true;
    const speak = async (request: PieceRequest): Promise<void> => {
      // The voice is made up for the first piece: the others wait for it.
      if (first) expect(request.piece.text).match(/^The first/);
      first = false;
      if (request.voice === null) await request.store.create("voice.npz", Uint8Array.of(1));
      if (request.piece.text.includes("second")) await pause(200);
      await speakStub(request);
    };
    const workers = [await startWorker(server.url, store, speak), await startWorker(server.url, store, speak)];
    const parts = [];
    for await (const part of speakByFarm(voice, text, given)) parts.push(part);
    expect(parts.map((part) => part.piece)).deep.equal([0, 1, 2]);
    expect(parts.map(({ text: said }) => said.split(" ")[1])).deep.equal(["first", "second", "third"]);
    expect(parts.map(({ source: [from, to] }) => text.slice(from, to))).deep.equal(parts.map((part) => part.text));
    expect(parts[0]).include({ sampling_rate: rate, is_last: true, seed: 7n });
    expect(parts[1].start).above(parts[0].end);
    const alone = [];
    for await (const part of speakByFarm(voice, "Only this.", given)) alone.push(part);
    expect(alone.map(({ audio }) => audio)).deep.equal([await soundOf("Only this.")]);
    expect(await left()).deep.equal([]);
    expect(await farm.books()).deep.equal([]);
    for (const worker of workers) await worker.stop();
  });

  it("stops when its listener goes away or its signal fires, and takes its pieces out", async () => {
    let isLate = false;
    const worker = await startWorker(server.url, store, async (request) => {
      if (request.voice === null) await request.store.create("voice.npz", Uint8Array.of(1));
      if (request.piece.text.includes("second")) {
        await pause(300);
        isLate = true;
      }
      await speakStub(request);
    });
    for await (const part of speakByFarm(voice, text, given)) {
      expect(part.piece).equal(0);
      break;
    }
    const signal = AbortSignal.timeout(50);
    const stopped = (async () => {
      for await (const part of speakByFarm(voice, text.replace("first", "second"), { ...given, kwargs: { signal } }))
        void part;
    })();
    expect(((await stopped.catch((error: unknown) => error)) as EngineError).code).equal("aborted");
    while (!isLate) await pause(10);
    await worker.stop();
    expect(await farm.books()).deep.equal([]);
    expect(await left()).deep.equal([]);
  });

  it("ends with an error for a piece that nobody can speak, and refuses what a farm cannot do", async () => {
    const worker = await startWorker(server.url, store, async () => {
      throw new Error("poison");
    });
    const all = async (more: object): Promise<EngineError> => {
      try {
        for await (const part of speakByFarm(voice, "One of them.", { ...given, ...more })) void part;
        return expect.fail("was spoken");
      } catch (error) {
        return error as EngineError;
      }
    };
    expect((await all({})).message).equal("One of them.: a piece could not be spoken: poison");
    expect((await all({ carry: 1 })).message).match(/carry: is not for speech by a farm/);
    expect((await all({ loudness: -19 })).message).match(/loudness: is not for speech by a farm/);
    expect(await left()).deep.equal([]);
    await worker.stop();
  });
});
