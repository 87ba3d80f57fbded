import { expect } from "chai";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createServer, type BarkHttpServer, type ServerOptions } from "../../server/index.ts";
import { bytesOf, errorOf, good, post, until } from "../support/server/requests.ts";
import { StubBackend } from "../support/server/stub_backend.ts";

describe("a server with many clients", () => {
  let backend: StubBackend;
  let server: BarkHttpServer;
  let url: string;
  async function serve(options: ServerOptions = {}): Promise<void> {
    backend = new StubBackend();
    server = await createServer(backend, options);
    ({ url } = await server.listen({ port: 0 }));
  }
  afterEach(async () => await server.close({ drain: 0 }));

  it("answers 200 requests at once, all of them with the same sound", async () => {
    await serve();
    backend.wait = 1;
    const request = { ...good, response_format: "pcm" };
    const sounds = await Promise.all(Array.from({ length: 200 }, async () => await bytesOf(await post(url, request))));
    for (const sound of sounds) expect(sound.length).equal(3 * 2 * 2400);
    expect([backend.active, server.running]).deep.equal([0, 0]);
  });

  it("answers 429 where too many wait, with the time to wait, and keeps places for others", async () => {
    await serve({ queue_size: 8, api_keys: ["one", "two"] });
    backend.wait = 2000;
    const one = { ...good, input: "Hello" };
    const as = (key: string): RequestInit => ({ headers: { Authorization: `Bearer ${key}` } });
    const waiting = Array.from({ length: 7 }, () => post(url, one, as("one")));
    await until(() => backend.active === 7, "seven are spoken");
    const full = await post(url, one, as("one"));
    expect(full.headers.get("retry-after")).match(/^[1-9]\d*$/);
    expect(await errorOf(full)).include({ status: 429, code: "queue_full", type: "rate_limit_error" });
    const other = await post(url, one, as("two"));
    expect(other.status, "the last place is for one who has none").equal(200);
    await Promise.all([...(await Promise.all(waiting)), other].map(bytesOf));
  });

  it("tells a client not to wait where that would take too long", async () => {
    await serve({ max_wait: 1 });
    backend.wait = 200;
    const input = "word ".repeat(2000);
    const long = post(url, { ...good, input }).then((response) => response.body!.cancel());
    await until(() => backend.active === 1, "the long one is spoken");
    const refused = await post(url, good);
    expect(refused.headers.get("x-should-retry")).equal("false");
    expect(Number(refused.headers.get("retry-after"))).above(60);
    expect(await errorOf(refused)).include({ status: 429 });
    await long;
  });

  it("gives a request up that waits for its first sound for too long", async () => {
    await serve({ max_wait: 0.2 });
    backend.wait = 60_000;
    expect(await errorOf(await post(url, good))).include({ status: 429, code: "queue_full" });
    await until(() => backend.active === 0, "it is stopped");
    expect(backend.stopped).equal(1);
  });

  it("gives a client up that takes nothing of its sound", async () => {
    await serve({ client_timeout: 0.3, max_input: 200_000 });
    const socket = await opened(url);
    const body = JSON.stringify({ ...good, input: "a ".repeat(10_000), response_format: "wav" });
    socket.pause();
    socket.write(requestOf(body));
    await until(() => backend.active === 1, "it is spoken");
    await until(() => backend.active === 0 && server.running === 0, "it is given up");
    expect(backend.parts, "and no further than the connection holds").below(5000);
    socket.destroy();
  });

  it("answers a client that sends half a body, and one that sends no HTTP", async () => {
    await serve({ client_timeout: 0.5 });
    const slow = await opened(url);
    slow.write(requestOf('{"model": "tts-1"', 500));
    expect(await readAll(slow)).match(/^HTTP\/1\.1 408 .*"error":\{"message":.*"param":null,"code":/s);
    const wrong = await opened(url);
    wrong.write("HELLO\r\n\r\n");
    expect(await readAll(wrong)).match(/^HTTP\/1\.1 400 .*x-request-id: req_.*"error"/s);
    const large = await opened(url);
    large.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(40_000)}\r\n\r\n`);
    expect(await readAll(large)).match(/^HTTP\/1\.1 431 /);
    await bytesOf(await post(url, good));
  });

  it("reads no body of 100 MB, announced or in chunks", async () => {
    await serve();
    const announced = await opened(url);
    announced.write(requestOf("{", 100_000_000));
    expect(await readSome(announced)).match(/^HTTP\/1\.1 413 .*"code":"body_too_large"/s);
    announced.destroy();
    let sent = 0;
    const chunks = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent++;
        if (sent > 100) controller.close();
        else controller.enqueue(new Uint8Array(1_000_000));
      },
    });
    const init = { body: chunks, duplex: "half" } as RequestInit;
    const status = await post(url, "", init).then(
      async (response) => (await errorOf(response)).status,
      // The server hangs up on what it does not read.
      () => 413,
    );
    expect(status).equal(413);
    await bytesOf(await post(url, good));
  });

  it("stops the work of clients who go away at 50 random moments, and the next request is right", async () => {
    await serve();
    backend.wait = 20;
    const request = { ...good, input: "word ".repeat(20), response_format: "pcm" };
    let seed = 7;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const stop = new AbortController();
        const timer = setTimeout(() => stop.abort(), random() * 800);
        const answered = post(
          url,
          { ...request, stream_format: i % 3 === 0 ? "sse" : "audio" },
          { signal: stop.signal },
        );
        await answered.then(bytesOf).catch(() => undefined);
        clearTimeout(timer);
      }),
    );
    await until(() => backend.active === 0 && server.running === 0, "all are stopped");
    expect(backend.stopped).above(0);
    expect((await bytesOf(await post(url, request))).length).equal(20 * 4800);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics)
      .match(/^bark_queue_requests 0$/m)
      .and.match(/^bark_aborted_total [1-9]/m);
  });

  it("stops a client who goes away before the first byte", async () => {
    await serve();
    backend.wait = 60_000;
    const stop = new AbortController();
    const answered = post(url, good, { signal: stop.signal }).catch(() => undefined);
    await until(() => backend.active === 1, "it is spoken");
    stop.abort();
    await until(() => backend.active === 0 && server.running === 0, "it is stopped");
    await answered;
  });

  it("ends: no new work, the old is finished, what takes too long is stopped", async () => {
    await serve();
    backend.wait = 1000;
    const short = post(url, { ...good, response_format: "pcm" });
    await until(() => backend.active === 1, "it is spoken");
    const closed = server.close({ drain: 30 });
    expect((await fetch(`${url}/livez`)).status).equal(200);
    expect((await fetch(`${url}/readyz`)).status).equal(503);
    expect(await errorOf(await post(url, good))).include({ status: 503, code: "not_ready" });
    expect((await bytesOf(await short)).length).equal(3 * 4800);
    await closed;
    expect(await fetch(`${url}/livez`).catch(() => "closed")).equal("closed");

    await serve();
    backend.wait = 10_000;
    const long = post(url, good);
    await until(() => backend.active === 1, "it is spoken");
    await server.close({ drain: 0.1 });
    expect(await errorOf(await long)).include({ status: 503, code: "stopped" });
    expect([backend.active, server.running]).deep.equal([0, 0]);
  });
});

async function opened(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

function requestOf(body: string, length = Buffer.byteLength(body)): string {
  const head = ["Host: localhost", "Content-Type: application/json", `Content-Length: ${length}`];
  return `POST /v1/audio/speech HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n${body}`;
}

async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, "close");
  return text;
}

async function readSome(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, "data")) as [Buffer];
  return chunk.toString();
}
