import { expect } from "chai";
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { ByteSource } from "../../../checkpoint/sources/byte_source.ts";
import { openHttpSource, type HttpOptions } from "../../../checkpoint/sources/http.ts";
import { closedAddress, sendRange, serve, type Loopback } from "../../support/loopback.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const file = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);
/** The bytes that opening fetches. */
const head = 4096;
const retries = { tries: 2, firstWait: 1 };

describe("openHttpSource", () => {
  let server: Loopback | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });
  const start = async (...args: Parameters<typeof serve>): Promise<string> => {
    server = await serve(...args);
    return `${server.url}/x.bin`;
  };
  const open = async (url: string, options: HttpOptions = {}): Promise<ByteSource | undefined> =>
    await openHttpSource(new URL(url), { retries, ...options });

  /** Opens a file that is there, and answers the reads that follow with `answer`. */
  async function openThen(answer: (response: ServerResponse) => void): Promise<ByteSource> {
    let isOpen = false;
    const url = await start((request, response) => {
      if (isOpen) answer(response);
      else sendRange(request, response, file);
      isOpen = true;
    });
    return (await open(url))!;
  }
  const range = (from: number, to: number, total: number) => ({ "Content-Range": `bytes ${from}-${to}/${total}` });

  it("fetches the beginning, then the ranges that are read, and nothing more", async () => {
    const url = await start((request, response) => sendRange(request, response, file));
    const source = (await open(url))!;
    expect([source.name, source.size]).to.deep.equal([url, 10_000]);
    const bytes = await source.read(9000, 5);
    expect([bytes, bytes.byteOffset, bytes.buffer.byteLength]).to.deep.equal([file.slice(9000, 9005), 0, 5]);
    expect(await source.read(0, 10_000)).to.deep.equal(file);
    expect(await source.read(10, 5)).to.deep.equal(file.slice(10, 15));
    expect((await source.read(10_000, 0)).length).to.equal(0);
    expect(server?.requests).to.deep.equal(["/x.bin bytes=0-4095", "/x.bin bytes=9000-9004", "/x.bin bytes=0-9999"]);
    await source.close();
  });

  it("fetches a small file once", async () => {
    const url = await start((request, response) => sendRange(request, response, file.subarray(0, head)));
    const source = (await open(url))!;
    expect(await source.read(0, head)).to.deep.equal(file.slice(0, head));
    expect(server?.requests).to.deep.equal(["/x.bin bytes=0-4095"]);
  });

  it("refuses ranges outside the file without asking", async () => {
    const url = await start((request, response) => sendRange(request, response, file));
    const source = (await open(url))!;
    for (const [offset, length] of [
      [9999, 2],
      [-1, 1],
      [0, -1],
      [NaN, 1],
    ]) {
      const error = await engineErrorOf(() => source.read(offset, length));
      expect([error.code, error.where]).to.deep.equal(["bad-input", url]);
    }
    expect(server?.requests.length).to.equal(1);
  });

  it("keeps the whole of what a server sends that ignores Range", async () => {
    const url = await start((_, response) => response.end(file));
    const source = (await open(url))!;
    expect(source.size).to.equal(10_000);
    expect(await source.read(9990, 10)).to.deep.equal(file.slice(9990));
    expect((await engineErrorOf(() => source.read(9990, 11))).code).to.equal("bad-input");
    expect(server?.requests.length).to.equal(1);
  });

  it("follows a redirection, with its range", async () => {
    const url = await start((request, response) => {
      if (request.url === "/moved.bin") sendRange(request, response, file);
      else response.writeHead(302, { Location: "/moved.bin" }).end();
    });
    const source = (await open(url))!;
    expect(await source.read(5000, 2)).to.deep.equal(file.slice(5000, 5002));
  });

  it("opens an empty file, with and without ranges", async () => {
    const ranged = await start((request, response) => sendRange(request, response, new Uint8Array(0)));
    expect((await open(ranged))?.size).to.equal(0);
    await server?.close();
    const whole = await start((_, response) => response.end());
    expect((await open(whole))?.size).to.equal(0);
  });

  it("has no file where the server says 404", async () => {
    const url = await start((_, response) => response.writeHead(404).end("<html>not here</html>"));
    expect(await open(url)).to.equal(undefined);
  });

  for (const status of [401, 403, 500, 503])
    it(`names status ${status}, when it opens and when it reads`, async () => {
      const url = await start((_, response) => response.writeHead(status).end("no"));
      const error = await engineErrorOf(() => open(url));
      expect([error.code, error.where]).to.deep.equal(["io", url]);
      expect(error.problem).to.match(new RegExp(`^HTTP status ${status} \\w`));
      await server?.close();
      const source = await openThen((response) => response.writeHead(status).end("no"));
      expect((await engineErrorOf(() => source.read(5000, 10))).problem).to.match(
        new RegExp(`^HTTP status ${status} \\w`),
      );
    });

  it("names a server that does not tell the size", async () => {
    for (const headers of [{ "Content-Range": "bytes 0-0/*" }, {}]) {
      const url = await start((_, response) => response.writeHead(206, headers).end("x"));
      const error = await engineErrorOf(() => open(url));
      expect(error.code).to.equal("io");
      expect(error.toLine()).to.match(/x\.bin: the server does not tell the size of the file/);
      await server?.close();
    }
  });

  it("names a server that nothing is heard of, and what to do", async () => {
    const url = await closedAddress();
    const error = await engineErrorOf(() => open(url, { adviseOffline: () => "use the proxy" }));
    expect([error.code, error.where, error.fix]).to.deep.equal(["io", url, "use the proxy"]);
    expect(error.problem).to.match(/^cannot be reached: .*ECONNREFUSED/);
  });

  it("reads on after a connection that broke and a server that was busy", async () => {
    for (const fault of [
      (response: ServerResponse) => response.destroy(),
      (response: ServerResponse) => response.writeHead(503).end(),
      (response: ServerResponse) => {
        response.writeHead(206, { ...range(5000, 5009, 10_000), "Content-Length": 10 }).write("1234");
        setImmediate(() => response.destroy());
      },
    ]) {
      let count = 0;
      const url = await start((request, response) => {
        if (count++ % 2 === 0 && request.headers.range !== "bytes=0-4095") fault(response);
        else sendRange(request, response, file);
      });
      const source = (await open(url))!;
      count = 0;
      expect(await source.read(5000, 10)).to.deep.equal(file.slice(5000, 5010));
      await server?.close();
    }
  });

  const silent: Record<string, (response: ServerResponse) => void> = {
    "says nothing": () => undefined,
    "sends headers alone": (response) => void response.writeHead(200).flushHeaders(),
    "sends a byte now and then": (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("x"), 5);
      response.on("close", () => clearInterval(timer));
    },
  };
  for (const [name, answer] of Object.entries(silent)) {
    it(`gives up a server that ${name}`, async () => {
      const url = await start((_, response) => answer(response));
      const error = await engineErrorOf(() => open(url, { retries: { ...retries, patience: 50 } }));
      expect(error.code).to.equal("io");
      expect(error.problem).to.match(/^(cannot be reached|the connection broke): too little came for 0.05 s$/);
    });

    it(`is stopped by the signal while a server ${name}`, async () => {
      const controller = new AbortController();
      const url = await start((_, response) => {
        answer(response);
        setImmediate(() => controller.abort());
      });
      const error = await engineErrorOf(() => open(url, { signal: controller.signal }));
      expect([error.code, error.problem]).to.deep.equal(["aborted", "the download was stopped"]);
    });
  }

  /** Answers without an end, and counts what it sends. */
  function endless(status: number, headers: Record<string, string>): { url: Promise<string>; sent: () => number } {
    let sent = 0;
    const block = new Uint8Array(1 << 20);
    const url = start((_, response) => {
      response.writeHead(status, headers);
      const write = (): void => {
        while (!response.destroyed && response.write(block)) sent += block.length;
      };
      response.on("drain", write);
      write();
    });
    return { url, sent: () => sent };
  }

  it("refuses a body without an end, and does not read one that is too large to be kept", async () => {
    const untold = endless(200, {});
    const error = await engineErrorOf(async () => await open(await untold.url));
    expect([error.code, error.actual]).to.deep.equal(["io", "more"]);
    expect(error.fix).to.match(/Range/);
    expect(untold.sent()).below(100 << 20);
    await server?.close();
    const told = endless(200, { "Content-Length": "9000000000000" });
    const source = (await open(await told.url))!;
    expect(source.size).to.equal(9e12);
    const refused = await engineErrorOf(() => source.read(5e12, 1));
    expect([refused.code, refused.actual]).to.deep.equal(["io", "9000000000000 bytes"]);
    expect(told.sent()).below(40 << 20);
  });

  it("fetches a large file whole once it is read, where the server sends no parts", async () => {
    const large = new Uint8Array((64 << 20) + 10).fill(7, 64 << 20);
    const url = await start((_, response) => response.writeHead(200, { "Content-Length": large.length }).end(large));
    const source = (await open(url))!;
    expect(source.size).to.equal(large.length);
    const [end, before] = await Promise.all([source.read(64 << 20, 10), source.read((64 << 20) - 2, 3)]);
    expect([end, before]).to.deep.equal([new Uint8Array(10).fill(7), Uint8Array.of(0, 0, 7)]);
    expect(server?.requests).to.deep.equal(["/x.bin bytes=0-4095", "/x.bin whole"]);
  });

  it("reads no further than what it asked for", async () => {
    const { url, sent } = endless(206, range(0, head - 1, 10_000));
    const error = await engineErrorOf(async () => await open(await url));
    expect([error.code, error.actual]).to.deep.equal(["io", "more"]);
    expect(sent()).below(30 << 20);
  });

  const page = "<!DOCTYPE html><html><body>not here</body></html>";
  for (const [name, headers, status] of [
    ["text/html", { "Content-Type": "text/html; charset=utf-8" }, 200],
    ["no type", {}, 200],
    ["text/html, by range", { "Content-Type": "text/html", "Content-Range": `bytes 0-48/49` }, 206],
  ] as const)
    it(`has no file where an HTML page comes in its place (${name})`, async () => {
      const url = await start((_, response) => response.writeHead(status, headers).end(page));
      let pages = 0;
      expect(await open(url, { onPage: () => pages++ })).to.equal(undefined);
      expect(pages).to.equal(1);
    });

  it("refuses the pointer of git-lfs", async () => {
    const pointer = new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    const url = await start((request, response) => sendRange(request, response, pointer));
    expect((await engineErrorOf(() => open(url))).toLine()).to.match(/x\.bin: is a git-lfs pointer/);
  });

  it("reads a body that the server compressed although nobody asked for that", async () => {
    const url = await start((_, response) =>
      response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync(file)),
    );
    const source = (await open(url))!;
    expect(await source.read(0, source.size)).to.deep.equal(file);
  });

  const changes: Record<string, (response: ServerResponse) => void> = {
    "has grown": (response) => response.writeHead(206, range(5000, 5009, 20_000)).end(file.slice(5000, 5010)),
    "has shrunk, the range still being in it": (response) =>
      response.writeHead(206, range(5000, 5009, 6000)).end(file.slice(5000, 5010)),
    "has shrunk into the range": (response) =>
      response.writeHead(206, range(5000, 5004, 5005)).end(file.slice(5000, 5005)),
    "has shrunk to nothing": (response) => response.writeHead(416, { "Content-Range": "bytes */0" }).end(),
    "has gone": (response) => response.writeHead(404).end(),
    "is sent whole, all at once": (response) => response.writeHead(200).end(file),
    "is sent in another part": (response) =>
      response.writeHead(206, range(5001, 5010, 10_000)).end(file.slice(5001, 5011)),
  };
  for (const [name, answer] of Object.entries(changes))
    it(`notices when the file ${name}`, async () => {
      const source = await openThen(answer);
      const error = await engineErrorOf(() => source.read(5000, 10));
      expect(error.code).to.equal("io");
      expect(error.toLine()).to.match(
        /x\.bin: the server sent another part of the file than asked for, or the file has changed \(expected bytes 5000-5009\/10000, got (bytes|status) .*\); open it again$/,
      );
    });

  it("notices a body of another length than its header says", async () => {
    const source = await openThen((response) =>
      response.writeHead(206, range(5000, 5009, 10_000)).end(file.slice(0, 8)),
    );
    expect((await engineErrorOf(() => source.read(5000, 10))).toLine()).to.match(
      /the server sent another number of bytes than asked for \(expected 10, got 8\)/,
    );
  });

  it("notices a body that breaks off", async () => {
    const breakOff = (response: ServerResponse, status: number, headers: object): void => {
      response.writeHead(status, { ...headers, "Content-Length": 10 }).write(file.slice(0, 4));
      setImmediate(() => response.destroy());
    };
    const source = await openThen((response) => breakOff(response, 206, range(5000, 5009, 10_000)));
    const whenRead = await engineErrorOf(() => source.read(5000, 10));
    await server?.close();
    const url = await start((_, response) => breakOff(response, 200, {}));
    const whenOpened = await engineErrorOf(() => open(url));
    for (const error of [whenRead, whenOpened]) {
      expect([error.code, error.fix]).to.deep.equal(["io", "check the network and try again"]);
      expect(error.problem).to.match(/^the connection broke: /);
      expect(error.where).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    }
  });
});
