import { expect } from "chai";
import { maxUntold, request, type RequestOptions } from "../../../checkpoint/hub/request.ts";
import { TransientFault } from "../../../checkpoint/hub/retry.ts";
import { fetchFailed, FetchStub, hang, TimerStub } from "../../support/hub/fetch_stub.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const address = "https://hub.example/a/b";
const ask = async (options: Partial<RequestOptions> = {}) =>
  await request(new URL(address), { method: "GET", ...options });
const sent = (location: string, status = 302, headers: Record<string, string> = {}): Response =>
  new Response(null, { status, headers: { Location: location, ...headers } });
const mebi = 2 ** 20;

/** A body in these parts; then it breaks, if `end` is an error. */
function body(parts: readonly Uint8Array[], end?: Error): ReadableStream<Uint8Array> {
  const left = [...parts];
  return new ReadableStream({
    pull: (controller) => {
      const part = left.shift();
      if (part !== undefined) controller.enqueue(part);
      else if (end === undefined) controller.close();
      else controller.error(end);
    },
  });
}

async function faultOf(work: () => Promise<unknown>): Promise<TransientFault> {
  try {
    await work();
  } catch (error) {
    if (error instanceof TransientFault) return error;
    throw error;
  }
  return expect.fail("no fault");
}

describe("a request to the hub", () => {
  const stub = new FetchStub();
  const clock = new TimerStub();

  it("asks for the bytes as they are, with what the caller gives, and follows redirections itself", async () => {
    stub.answers = [new Response("x")];
    await ask({ method: "HEAD", headers: { Range: "bytes=0-1" }, authorization: "Bearer t" });
    const { signal, ...asked } = stub.asked[0];
    expect(asked).deep.equal({
      url: address,
      method: "HEAD",
      headers: { Range: "bytes=0-1", Authorization: "Bearer t", "Accept-Encoding": "identity" },
      redirect: "manual",
    });
    expect(signal.aborted).equal(false);
  });

  it("leaves to a page's browser what a page must not set", async () => {
    stub.answers = [new Response("x")];
    await ask({ isPage: true });
    expect([stub.asked[0].headers, stub.asked[0].redirect]).deep.equal([{}, "follow"]);
  });

  for (const status of [301, 302, 303, 307, 308])
    it(`goes where a status ${status} sends it`, async () => {
      stub.answers = [sent("../c?x=1", status), new Response("there")];
      const answer = await ask();
      expect(stub.asked.map(({ url }) => url)).deep.equal([address, "https://hub.example/c?x=1"]);
      expect([answer.status, await (await answer.blob(9)).text()]).deep.equal([200, "there"]);
      expect(stub.asked[0].signal.aborted, "the first answer is of no interest").equal(true);
    });

  it("stays where another status names a place, and where none is named", async () => {
    for (const answer of [sent("/c", 304), sent("/c", 201), new Response(null, { status: 302 })]) {
      stub.answers = [answer];
      expect((await ask()).status).equal(answer.status);
    }
  });

  it("gives the authorization to the first origin alone", async () => {
    stub.answers = [sent("/c"), sent("https://storage.example/"), sent(address), new Response("x")];
    await ask({ authorization: "Bearer t" });
    expect(stub.asked.map(({ headers }) => headers["Authorization"])).deep.equal([
      ...["Bearer t", "Bearer t"],
      ...[undefined, "Bearer t"],
    ]);
  });

  it("goes to an address without encryption, too", async () => {
    stub.answers = [sent("http://mirror.example/x"), new Response("x")];
    await ask();
    expect(stub.asked[1].url).equal("http://mirror.example/x");
  });

  it("takes no user and password from a redirection", async () => {
    stub.answers = [sent("https://user:password@storage.example/x"), new Response("x")];
    await ask();
    expect(stub.asked[1].url).equal("https://storage.example/x");
  });

  it("stays, of HEAD alone, where the redirection describes the file", async () => {
    const linked = { "X-Linked-Etag": "a" };
    stub.answers = [sent("/c", 302, linked)];
    expect((await ask({ method: "HEAD" })).status).equal(302);
    stub.answers = [sent("/c", 302, linked), new Response("x")];
    expect((await ask()).status).equal(200);
    stub.answers = [sent("/c"), new Response("x")];
    expect((await ask({ method: "HEAD" })).status).equal(200);
  });

  it("follows ten redirections, and no more", async () => {
    stub.answers = [...Array.from({ length: 10 }, () => sent("/c")), new Response("x")];
    expect((await ask()).status).equal(200);
    stub.answers = Array.from({ length: 11 }, () => sent("/c"));
    const error = await engineErrorOf(() => ask());
    expect([error.code, error.where, error.problem]).deep.equal(["io", address, "more than 10 redirections"]);
  });

  it("refuses a redirection to an invalid address, and does not show its query", async () => {
    for (const [location, actual] of [
      ["ftp://x/y?secret=1", "ftp://x/y"],
      ["https://[?secret=1#x", "https://["],
      ["xhttp://a#secret", "xhttp://a"],
      ["httpsx://a", "httpsx://a"],
    ]) {
      stub.answers = [sent(location)];
      const error = await engineErrorOf(() => ask());
      expect([error.code, error.where, error.actual]).deep.equal(["io", address, actual]);
    }
  });

  it("knows headers of the first answer that has one, and of the last", async () => {
    stub.answers = [
      sent("/c", 302, { A: "1" }),
      new Response("x", { status: 203, statusText: "so so", headers: { A: "2", B: "3" } }),
    ];
    const answer = await ask();
    expect([answer.first("a"), answer.first("b"), answer.first("c")]).deep.equal(["1", "3", undefined]);
    expect([answer.last("a"), answer.last("location"), answer.statusText]).deep.equal(["2", undefined, "so so"]);
  });

  it("knows how long a server asks to wait: seconds, or a time", async () => {
    const { now } = Date;
    Date.now = () => Date.parse("2031-01-01T00:00:00Z");
    try {
      for (const [header, wait] of [
        [undefined, undefined],
        ["0", 0],
        ["12", 12_000],
        ["01 Jan 2031 00:00:05 GMT", 5000],
        ["Wed, 01 Jan 2031 00:00:05 +0000", 5000],
        ["01 Jan 2030 00:00:00 GMT", 0],
        ["soon", undefined],
      ] as const) {
        stub.answers = [new Response("x", { headers: header === undefined ? {} : { "Retry-After": header } })];
        expect((await ask()).retryAfter, header).equal(wait);
      }
    } finally {
      Date.now = now;
    }
  });

  describe("gives a body", () => {
    const piece = (length: number): Uint8Array => new Uint8Array(length).fill(length % 251);

    it("in the parts that come, and lets the connection go", async () => {
      stub.answers = [new Response(body([piece(3), piece(4)]))];
      const parts: Uint8Array[] = [];
      for await (const part of (await ask()).parts()) parts.push(part);
      expect(parts).deep.equal([piece(3), piece(4)]);
      expect([stub.asked[0].signal.aborted, clock.waiting]).deep.equal([true, []]);
    });

    it("of none", async () => {
      stub.answers = [new Response(null), new Response(null)];
      for await (const part of (await ask()).parts()) expect.fail(`${part.length} bytes`);
      expect((await (await ask()).blob(9)).size).equal(0);
    });

    it("that breaks, as a fault that may pass", async () => {
      stub.answers = [new Response(body([piece(3)], new TypeError("terminated")))];
      const answer = await ask();
      const fault = await faultOf(async () => await answer.blob(9));
      expect([fault.error.code, fault.error.where, fault.isOffline]).deep.equal(["io", "https://hub.example", false]);
      expect(fault.error.problem).equal("the connection broke: terminated");
      expect(fault.error.fix).equal("check the network and try again");
    });

    it("to its limit, and of a longer one hardly more", async () => {
      for (const [limit, size] of [
        [9, 9],
        [6, 9],
        [5, 6],
        [2, 3],
      ]) {
        stub.answers = [new Response(body([piece(3), piece(3), piece(3)]))];
        expect((await (await ask()).blob(limit)).size, `${limit}`).equal(size);
      }
    });

    it("of many blocks, as it was", async () => {
      const parts = [16 * mebi, 1, 15 * mebi, mebi - 1, 3].map(piece);
      stub.answers = [new Response(body(parts))];
      const blob = await (await ask()).blob(64 * mebi);
      expect(Buffer.compare(Buffer.from(await blob.arrayBuffer()), Buffer.concat(parts))).equal(0);
    });

    it("whole, with the size that the server tells", async () => {
      stub.answers = [new Response("whole", { headers: { "Content-Length": "5" } }), new Response("whole")];
      for (const told of [5, undefined]) {
        const answer = await ask();
        expect(answer.told).equal(told);
        expect(await (await answer.wholeFile("x")).text()).equal("whole");
      }
    });

    it("whole, up to 4 GiB as told, or 64 MiB untold", async () => {
      const many = (count: number): Uint8Array[] => new Array<Uint8Array>(count).fill(piece(mebi));
      stub.answers = [new Response("x", { headers: { "Content-Length": `${2 ** 32}` } })];
      expect(await (await (await ask()).wholeFile("x")).text()).equal("x");
      stub.answers = [new Response(body(many(64)))];
      expect((await (await ask()).wholeFile("x")).size).equal(maxUntold);
      const told = { headers: { "Content-Length": `${65 * mebi}` } };
      stub.answers = [new Response(body(many(65)), told)];
      expect((await (await ask()).wholeFile("x")).size).equal(65 * mebi);
      for (const [answer, actual] of [
        [new Response("x", { headers: { "Content-Length": `${2 ** 32 + 1}` } }), "4294967297 bytes"],
        [new Response(body([...many(64), piece(1)])), "more"],
      ] as const) {
        stub.answers = [answer];
        const error = await engineErrorOf(async () => await (await ask()).wholeFile("x"));
        expect([error.code, error.where, error.actual]).deep.equal(["io", "x", actual]);
        expect([error.expected, error.fix].join()).match(/4294967296 bytes, or 67108864 where .*header Range/);
        expect(stub.asked.at(-1)!.signal.aborted).equal(true);
      }
    });
  });

  describe("is given up", () => {
    it("when nothing comes for as long as it has patience", async () => {
      for (const [patience, shown] of [
        [undefined, 30],
        [5000, 5],
      ]) {
        stub.answers = [hang];
        const fault = faultOf(async () => await ask({ patience }));
        expect(clock.waiting).deep.equal([patience ?? 30_000]);
        clock.timers.at(-1)!.run();
        expect((await fault).error.problem).equal(`cannot be reached: too little came for ${shown} s`);
        expect([(await fault).isOffline, clock.waiting]).deep.equal([true, []]);
      }
    });

    it("when fewer than 1024 bytes come within the patience", async () => {
      const count = async (...lengths: number[]): Promise<number> => {
        stub.answers = [new Response(body(lengths.map((length) => new Uint8Array(length))))];
        const before = clock.timers.length;
        await (await ask()).blob(mebi);
        expect(clock.waiting).deep.equal([]);
        return clock.timers.length - before;
      };
      expect(await count(1023)).equal(1);
      expect(await count(1024)).equal(2);
      expect(await count(512, 511)).equal(1);
      expect(await count(512, 512)).equal(2);
      expect(await count(2000, 500, 500), "counted anew from each timer").equal(2);
      stub.answers = [
        async ({ signal }) => {
          const whole = new TransformStream<Uint8Array, Uint8Array>();
          signal.addEventListener("abort", () => void whole.writable.abort(signal.reason).catch(() => undefined));
          return new Response(whole.readable);
        },
      ];
      const answer = await ask();
      const fault = faultOf(async () => await answer.blob(9));
      clock.timers.at(-1)!.run();
      expect((await fault).error.problem).equal("the connection broke: too little came for 30 s");
      expect((await fault).isOffline).equal(false);
    });

    it("when the caller says so, before it begins and while it waits", async () => {
      const stop = new AbortController();
      stub.answers = [hang];
      const error = engineErrorOf(async () => await ask({ signal: stop.signal }));
      const reason = new Error("enough");
      stop.abort(reason);
      expect([(await error).code, (await error).where]).deep.equal(["aborted", "https://hub.example"]);
      expect((await error).cause).equal(reason);
      const late = await engineErrorOf(async () => await ask({ signal: stop.signal }));
      expect([late.code, late.where, late.cause]).deep.equal(["aborted", "hub", reason]);
      expect(stub.asked).have.length(1);
    });
  });

  describe("that fails", () => {
    const advice = (url: URL): string => `ask for ${url.href}`;

    for (const [name, error, problem] of [
      ["by what Node says of the cause", fetchFailed("ECONNREFUSED", "connect ECONNREFUSED"), "connect ECONNREFUSED"],
      ["by a code alone", fetchFailed("ENETUNREACH"), "ENETUNREACH"],
      ["without a reason", fetchFailed(undefined), "fetch failed"],
      ["with a number for a code", new TypeError("no", { cause: Object.assign(new Error(), { code: 5 }) }), "no"],
      ["with a cause that is not an error", new TypeError("no", { cause: "x" }), "no"],
      ["as a page says it", new TypeError("Failed to fetch"), "Failed to fetch"],
    ] as const)
      it(`says so, and what can be done: ${name}`, async () => {
        stub.answers = [error, error];
        const fault = await faultOf(async () => await ask({ adviseOffline: advice }));
        expect(fault.error.problem).equal(`cannot be reached: ${problem}`);
        expect([fault.error.code, fault.error.where, fault.error.cause]).deep.equal([
          "io",
          "https://hub.example",
          error,
        ]);
        expect([fault.isOffline, fault.error.fix]).deep.equal([true, `ask for ${address}`]);
        expect((await faultOf(ask)).error.fix).equal("check the network and try again");
        expect(clock.waiting).deep.equal([]);
      });

    for (const [name, error] of [
      ...["ECONNRESET", "EPIPE", "ETIMEDOUT", "UND_ERR_SOCKET"].map((code) => [code, fetchFailed(code)] as const),
      ["in Deno's words", new TypeError("client error (SendRequest): connection closed")] as const,
    ])
      it(`where a server was there and broke off, may pass: ${name}`, async () => {
        stub.answers = [error];
        const fault = await faultOf(async () => await ask({ adviseOffline: advice }));
        expect([fault.isOffline, fault.error.fix]).deep.equal([false, "check the network and try again"]);
      });

    it("has the usual advice where there is no other", async () => {
      stub.answers = [fetchFailed("ENOTFOUND")];
      const fault = await faultOf(async () => await ask({ adviseOffline: () => undefined }));
      expect(fault.error.fix).equal("check the network and try again");
    });
  });
});
