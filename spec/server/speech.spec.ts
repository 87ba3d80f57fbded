import { expect } from "chai";
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from "mediabunny";
import { decode_wav } from "../../audio/wav_reader.ts";
import { concatSamples } from "../../audio/concat.ts";
import { EngineError } from "../../engine/errors.ts";
import { createServer, type BarkHttpServer } from "../../server/index.ts";
import { bytesOf, errorOf, good, post } from "../support/server/requests.ts";
import { StubBackend, toneOf } from "../support/server/stub_backend.ts";
import { engineErrorOf } from "../support/rejection.ts";

/** 16 bits of what the stub says. */
const spoken = Int16Array.from(concatSamples([0, 1, 2].map(toneOf)), (sample) => Math.round(sample * 32767));

describe("POST /v1/audio/speech", () => {
  let backend: StubBackend;
  let server: BarkHttpServer;
  let url: string;
  beforeEach(async () => {
    backend = new StubBackend();
    server = await createServer(backend, { max_input: 5000, uploads: 2 });
    ({ url } = await server.listen({ port: 0 }));
  });
  afterEach(async () => await server.close({ drain: 0 }));

  it("answers the default, MP3, in chunks, with the headers of a stream", async () => {
    backend.wait = 30;
    const response = await post(url, good);
    expect(response.status).equal(200);
    expect(Object.fromEntries(response.headers)).include({
      "content-type": "audio/mpeg",
      "transfer-encoding": "chunked",
      "x-accel-buffering": "no",
      "x-bark-seed": "11",
    });
    const bytes = await bytesOf(response);
    expect(bytes.length, "64 kbit/s").within(2000, 5000);
  });

  it("gives the first bytes out before the last piece is spoken", async () => {
    backend.wait = 50;
    const response = await post(url, { ...good, response_format: "pcm" });
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    expect(value!.length).above(0);
    expect(backend.parts).below(3);
    await reader.cancel();
  });

  const codecs = { mp3: "mp3", opus: "opus", aac: "aac", flac: "flac" };
  for (const [format, codec] of Object.entries(codecs))
    it(`answers ${format} that a decoder reads`, async () => {
      const response = await post(url, { ...good, response_format: format });
      const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(await bytesOf(response)) });
      const track = (await input.getPrimaryAudioTrack())!;
      expect(track.codec).equal(codec);
      let end = 0;
      for await (const packet of new EncodedPacketSink(track).packets()) end = packet.timestamp + packet.duration;
      expect(end).within(0.29, 0.45);
    });

  it("answers wav and pcm with the samples themselves", async () => {
    const wav = await post(url, { ...good, response_format: "wav" });
    expect(wav.headers.get("content-type")).equal("audio/wav");
    const bytes = await bytesOf(wav);
    const { audio, sample_rate } = decode_wav(bytes, "wav", () => undefined);
    expect([audio.shape, sample_rate]).deep.equal([[1, spoken.length], 24000]);
    const pcm = await post(url, { ...good, response_format: "pcm" });
    expect(pcm.headers.get("content-type")).equal("audio/pcm;rate=24000");
    expect(new Int16Array((await bytesOf(pcm)).buffer)).deep.equal(spoken);
    expect(new Int16Array(bytes.slice(-2 * spoken.length).buffer)).deep.equal(spoken);
  });

  it("answers events with the same bytes, the usage, and captions if asked", async () => {
    const request = { ...good, stream_format: "sse", response_format: "pcm", captions: true };
    const response = await post(url, request);
    expect(response.headers.get("content-type")).match(/^text\/event-stream/);
    const events = (await response.text())
      .split("\n\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line.replace(/^data: /, "")) as { type: string; audio: string; text: string });
    const deltas = events.filter(({ type }) => type === "speech.audio.delta");
    const sound = Buffer.concat(deltas.map(({ audio }) => Buffer.from(audio, "base64")));
    expect(sound.length).equal(2 * spoken.length);
    expect(events.at(-1)).deep.equal({
      type: "speech.audio.done",
      usage: { input_tokens: 3, output_tokens: 60, total_tokens: 63 },
    });
    const segments = events.filter(({ type }) => type === "speech.audio.segment");
    expect(segments.map(({ text }) => text)).deep.equal(["Hello", "my", "dog"]);
    expect(segments[1])
      .include({ start: 0.1, end: 0.2 })
      .and.deep.include({ source: [0, 2] });
    const plain = await (await post(url, { ...request, captions: false })).text();
    expect(plain).not.include("segment");
  });

  it("hands voices by every name, and all options, to the backend", async () => {
    for (const voice of ["alloy", { id: "ash" }, "de_speaker_1"]) await bytesOf(await post(url, { ...good, voice }));
    expect(backend.requests.map(({ voice }) => voice)).deep.equal(["en_speaker_0", "v2/en_speaker_6", "de_speaker_1"]);
    const options = { language: "de", normalize: "basic", temperature: 0.5, top_k: 9, retries: 1, latency: "low" };
    await bytesOf(await post(url, { ...good, seed: 7, greedy: null, ...options }));
    expect(backend.requests.at(-1)).deep.include({ seed: 7, options });
    await bytesOf(await post(url, { ...good, greedy: true }));
    expect(backend.requests.at(-1)!.options).deep.equal({
      do_sample: false,
      temperature: null,
      fine_temperature: null,
    });
  });

  it("tells in a Warning what has no effect", async () => {
    const warning = async (more: object): Promise<string | null> => {
      const response = await post(url, { ...good, ...more });
      await bytesOf(response);
      return response.headers.get("warning");
    };
    expect(await warning({})).equal(null);
    expect(await warning({ instructions: "whisper" })).match(/^299 bark "instructions: .*"$/);
    expect(await warning({ 'é"\n': 1, user: "me" })).match(/^299 bark "no such fields, .*: \?'\?, user"$/);
    expect(await warning({ captions: true })).match(/captions/);
    expect(await warning({ input: "Hello 🐕" })).match(/left out: '\?'/);
  });

  describe("refuses", () => {
    const cases: [string, unknown, string | null, string, number?][] = [
      ["a missing input", { ...good, input: undefined }, "input", "missing_required_parameter"],
      ["null for the input", { ...good, input: null }, "input", "invalid_type"],
      ["a number for the input", { ...good, input: 7 }, "input", "invalid_type"],
      ["an empty input", { ...good, input: "" }, "input", "invalid_value"],
      ["an input of spaces", { ...good, input: "  " }, "input", "invalid_value"],
      ["a huge input", { ...good, input: "a".repeat(5001) }, "input", "string_above_max_length"],
      ["a missing model", { ...good, model: undefined }, "model", "missing_required_parameter"],
      ["an unknown model", { ...good, model: "tts-2" }, "model", "model_not_found", 404],
      ["a huge model", { ...good, model: "m".repeat(300) }, "model", "invalid_value"],
      ["a missing voice", { ...good, voice: undefined }, "voice", "missing_required_parameter"],
      ["null for the voice", { ...good, voice: null }, "voice", "invalid_value"],
      ["an unknown voice", { ...good, voice: "aloy" }, "voice", "voice_not_found"],
      ["a path as voice", { ...good, voice: "../../etc/passwd" }, "voice", "voice_not_found"],
      ["an address as voice", { ...good, voice: { id: "http://localhost/v.npz" } }, "voice", "voice_not_found"],
      ["an unknown format", { ...good, response_format: "m4b" }, "response_format", "invalid_value"],
      ["another speed", { ...good, speed: 1.5 }, "speed", "unsupported_value"],
      ["a wrong speed", { ...good, speed: "fast" }, "speed", "invalid_type"],
      ["a wrong seed", { ...good, seed: -1 }, "seed", "invalid_value"],
      ["a wrong temperature", { ...good, temperature: 0 }, "temperature", "invalid_value"],
      ["a wrong stream format", { ...good, stream_format: "ndjson" }, "stream_format", "invalid_value"],
      ["greedy with a temperature", { ...good, greedy: true, top_k: 3 }, "top_k", "invalid_value"],
      ["a bitrate that MP3 has not", { ...good, bitrate: 65 }, "bitrate", "invalid_value"],
      ["a list", [good], null, "invalid_json"],
      ["a text", '"hello"', null, "invalid_json"],
      ["half a document", '{"model": "tts-1", ', null, "invalid_json"],
      ["nothing", "", null, "invalid_json"],
      ["invalid UTF-8", new Uint8Array([123, 34, 0x80, 34, 58, 49, 125]), null, "invalid_utf8"],
    ];
    for (const [what, body, param, code, status = 400] of cases)
      it(what, async () => {
        const error = await errorOf(await post(url, body));
        expect(error).include({ status, param, code, type: "invalid_request_error" });
        expect(backend.active).equal(0);
      });

    it("another type of content, and what a page may send unasked", async () => {
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"]) {
        const error = await errorOf(await post(url, good, { headers: { "Content-Type": type } }));
        expect(error).include({ status: 415, code: "unsupported_media_type" });
      }
    });

    it("other methods and paths, with OpenAI's four keys", async () => {
      const response = await fetch(`${url}/v1/audio/speech`, { method: "GET" });
      expect(response.headers.get("allow")).equal("POST");
      expect(await errorOf(response)).include({ status: 405, code: "method_not_allowed" });
      expect((await errorOf(await fetch(`${url}/v1/audio/speach`))).message).match(
        /Did you mean \/v1\/audio\/speech\?/,
      );
      expect(await errorOf(await fetch(`${url}/v1/models/none`))).include({ status: 404, code: "model_not_found" });
    });

    it("nothing that is long and within the limit: 4097 characters, and 5000 of two units each", async () => {
      for (const input of ["a".repeat(4097), "🐕".repeat(5000)])
        expect((await bytesOf(await post(url, { ...good, input }))).length).above(100);
    });
  });

  it("says that it failed, and nothing of how, before the first sound", async () => {
    backend.failsAt = 0;
    const error = await errorOf(await post(url, good));
    expect(error).include({ status: 500, type: "server_error", code: "internal_error" });
    expect(error.message).not.match(/secret/);
    backend.error = new EngineError("device-lost", "the GPU device was lost");
    const lost = await post(url, good);
    expect(lost.headers.get("retry-after")).equal("1");
    expect(await errorOf(lost)).include({ status: 503, code: "gpu_failed" });
  });

  it("breaks the connection off where it fails later, and tells it in an event", async () => {
    backend.failsAt = 2;
    backend.wait = 20;
    const response = await post(url, { ...good, response_format: "pcm" });
    expect(response.status).equal(200);
    const read = await bytesOf(response).catch((error: Error) => error);
    expect(read, "no clean end").instanceOf(Error);
    const events = await (await post(url, { ...good, stream_format: "sse" })).text();
    const last = events.split("\n\n").at(-2)!;
    expect(JSON.parse(last.replace("data: ", ""))).deep.include({ type: "error" });
    expect(last).not.match(/secret|speech\.audio\.done/);
    expect(backend.active).equal(0);
  });

  it("keeps voices that are uploaded, strictly read, in memory", async () => {
    const upload = async (name: string, bytes: number[]): Promise<Response> => {
      const form = new FormData();
      form.set("name", name);
      form.set("file", new File([new Uint8Array(bytes)], "voice.npz"));
      return await fetch(`${url}/v1/audio/voices`, { method: "POST", body: form });
    };
    const kept = await upload("mine", [1]);
    expect(await kept.json()).include({ object: "audio.voice", id: "mine", name: "mine" });
    await bytesOf(await post(url, { ...good, voice: { id: "mine" } }));
    expect(backend.requests.at(-1)!.voice).keys("semantic_prompt", "coarse_prompt", "fine_prompt");
    expect(await errorOf(await upload("mine", [1]))).include({ status: 409, code: "name_taken" });
    expect(await errorOf(await upload("alloy", [1]))).include({ status: 409, code: "name_taken" });
    expect(await errorOf(await upload("../x", [1]))).include({ status: 400, param: "name" });
    expect(await errorOf(await upload("bad", [2]))).include({ status: 400, param: "file" });
    await upload("second", [1]);
    expect(await errorOf(await upload("third", [1]))).include({ code: "too_many_voices" });
    expect(await errorOf(await upload("large", new Array<number>(5 << 20).fill(1)))).include({ status: 413 });
    const gone = await fetch(`${url}/v1/audio/voices/mine`, { method: "DELETE" });
    expect(await gone.json()).include({ deleted: true });
    expect(await errorOf(await post(url, { ...good, voice: "mine" }))).include({ code: "voice_not_found" });
    const preset = await fetch(`${url}/v1/audio/voices/en_speaker_0`, { method: "DELETE" });
    expect(await errorOf(preset)).include({ status: 404 });
  });

  it("lists models, voices, its own document and metrics", async () => {
    const get = async (path: string): Promise<Record<string, unknown>> =>
      (await (await fetch(url + path)).json()) as Record<string, unknown>;
    const { object, data } = await get("/v1/models");
    expect(object).equal("list");
    expect((data as { id: string }[]).map(({ id }) => id)).deep.equal(["stub", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"]);
    expect(await get("/v1/models/stub")).include({ id: "stub", object: "model", owned_by: "bark-webgpu" });
    expect((await get("/v1/audio/models"))["models"]).deep.include({ id: "stub" });
    const voices = (await get("/v1/audio/voices"))["voices"] as Record<string, unknown>[];
    expect(voices.find(({ id }) => id === "de_speaker_1")).include({ language: "de", source: "preset" });
    expect(voices.find(({ id }) => id === "cedar")).include({ name: "cedar", language: "en", source: "alias" });
    const { openapi, paths } = (await get("/openapi.json")) as { openapi: string; paths: Record<string, object> };
    expect(openapi).equal("3.1.0");
    expect(Object.keys(paths)).include.members(["/v1/audio/speech", "/v1/models/{id}", "/livez", "/metrics"]);
    await bytesOf(await post(url, good));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).match(/^bark_requests_total\{route="\/v1\/audio\/speech",status="200"\} 1$/m);
    expect(metrics)
      .match(/^bark_audio_seconds_total 0\.3/m)
      .and.match(/^bark_queue_requests 0$/m);
  });

  it("logs what it did without texts, voices and keys", async () => {
    const said: string[] = [];
    const keep = (fields: object, line: string): void => void said.push(JSON.stringify(fields) + line);
    const logging = await createServer(backend, { log: { info: keep, warn: keep, error: keep } });
    const address = (await logging.listen({ port: 0 })).url;
    await bytesOf(await post(address, { ...good, input: "private words", voice: "ash" }));
    await post(address, { ...good, voice: "ashes" }, { headers: { Authorization: "Bearer hidden" } });
    await fetch(`${address}/private/words`);
    await logging.close();
    expect(said).have.length(3);
    expect(said[0]).match(/"status":200.*"letters":13,"seconds":0\.2,"format":"mp3"/);
    expect(said.join("\n")).not.match(/private|words|ash|hidden/);
  });

  it("refuses wrong options", async () => {
    const wrong = async (options: object): Promise<string> =>
      (await engineErrorOf(() => createServer(backend, options))).message;
    expect(await wrong({ queue: 3 })).match(/queue: is not an argument/);
    expect(await wrong({ voices_map: { me: "none" } })).match(/me=none: is no voice/);
    expect(await wrong({ queue_size: 0 })).match(/queue_size/);
  });
});
