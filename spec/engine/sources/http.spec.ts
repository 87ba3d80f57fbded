import { expect } from "chai";
import type { ServerResponse } from "node:http";
import type { ByteSource } from "../../../engine/byte_source.ts";
import { openHttpSource } from "../../../engine/sources/http.ts";
import { sendRange, serve, type Loopback } from "../../support/loopback.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const file = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

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

  /** Opens a file that is there, and answers the reads that follow with `answer`. */
  async function openThen(answer: (response: ServerResponse) => void): Promise<ByteSource> {
    let isOpen = false;
    const url = await start((request, response) => {
      if (isOpen) answer(response);
      else sendRange(request, response, file);
      isOpen = true;
    });
    return (await openHttpSource(url))!;
  }
  const range = (from: number, to: number, total: number) => ({ "Content-Range": `bytes ${from}-${to}/${total}` });

  it("reads ranges, and nothing more", async () => {
    const url = await start((request, response) => sendRange(request, response, file));
    const source = (await openHttpSource(url))!;
    expect([source.name, source.size]).to.deep.equal([url, 1000]);
    const bytes = await source.read(10, 5);
    expect([bytes, bytes.byteOffset, bytes.buffer.byteLength]).to.deep.equal([file.slice(10, 15), 0, 5]);
    expect(await source.read(0, 1000)).to.deep.equal(file);
    expect((await source.read(1000, 0)).length).to.equal(0);
    expect(server?.requests).to.deep.equal(["/x.bin bytes=0-0", "/x.bin bytes=10-14", "/x.bin bytes=0-999"]);
    await source.close();
  });

  it("refuses ranges outside the file without asking", async () => {
    const url = await start((request, response) => sendRange(request, response, file));
    const source = (await openHttpSource(url))!;
    for (const [offset, length] of [
      [999, 2],
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
    const source = (await openHttpSource(url))!;
    expect(source.size).to.equal(1000);
    expect(await source.read(990, 10)).to.deep.equal(file.slice(990));
    expect((await engineErrorOf(() => source.read(990, 11))).code).to.equal("bad-input");
    expect(server?.requests.length).to.equal(1);
  });

  it("follows a redirection, with its range", async () => {
    const url = await start((request, response) => {
      if (request.url === "/moved.bin") sendRange(request, response, file);
      else response.writeHead(302, { Location: "/moved.bin" }).end();
    });
    const source = (await openHttpSource(url))!;
    expect(await source.read(3, 2)).to.deep.equal(file.slice(3, 5));
  });

  it("opens an empty file, with and without ranges", async () => {
    const ranged = await start((request, response) => sendRange(request, response, new Uint8Array(0)));
    expect((await openHttpSource(ranged))?.size).to.equal(0);
    await server?.close();
    const whole = await start((_, response) => response.end());
    expect((await openHttpSource(whole))?.size).to.equal(0);
  });

  it("has no file where the server says 404", async () => {
    const url = await start((_, response) => response.writeHead(404).end("<html>not here</html>"));
    expect(await openHttpSource(url)).to.equal(undefined);
  });

  for (const status of [401, 403, 500, 503])
    it(`names status ${status}, when it opens and when it reads`, async () => {
      const url = await start((_, response) => response.writeHead(status).end("no"));
      const error = await engineErrorOf(() => openHttpSource(url));
      expect([error.code, error.where]).to.deep.equal(["io", url]);
      expect(error.problem).to.match(new RegExp(`^HTTP status ${status} \\w`));
      await server?.close();
      const source = await openThen((response) => response.writeHead(status).end("no"));
      expect((await engineErrorOf(() => source.read(0, 10))).problem).to.match(
        new RegExp(`^HTTP status ${status} \\w`),
      );
    });

  it("names a server that does not tell the size", async () => {
    for (const headers of [{ "Content-Range": "bytes 0-0/*" }, {}]) {
      const url = await start((_, response) => response.writeHead(206, headers).end("x"));
      const error = await engineErrorOf(() => openHttpSource(url));
      expect(error.code).to.equal("io");
      expect(error.toLine()).to.match(/x\.bin: the server does not tell the size of the file/);
      await server?.close();
    }
  });

  it("names an address where nothing listens, and one that is none", async () => {
    const url = await start(() => undefined);
    await server?.close();
    for (const address of [url, "http://", "gopher://localhost/x"]) {
      const error = await engineErrorOf(() => openHttpSource(address));
      expect([error.code, error.problem, error.where]).to.deep.equal(["io", "cannot be fetched", address]);
    }
  });

  const changes: Record<string, (response: ServerResponse) => void> = {
    "has grown": (response) => response.writeHead(206, range(0, 9, 2000)).end(file.slice(0, 10)),
    "has shrunk, the range still being in it": (response) =>
      response.writeHead(206, range(0, 9, 500)).end(file.slice(0, 10)),
    "has shrunk to 5 bytes": (response) => response.writeHead(206, range(0, 4, 5)).end(file.slice(0, 5)),
    "has shrunk to nothing": (response) => response.writeHead(416, { "Content-Range": "bytes */0" }).end(),
    "is sent whole, all at once": (response) => response.writeHead(200).end(file),
    "is sent in another part": (response) => response.writeHead(206, range(1, 10, 1000)).end(file.slice(1, 11)),
  };
  for (const [name, answer] of Object.entries(changes))
    it(`notices when the file ${name}`, async () => {
      const source = await openThen(answer);
      const error = await engineErrorOf(() => source.read(0, 10));
      expect(error.code).to.equal("io");
      expect(error.toLine()).to.match(
        /x\.bin: the server sent another part of the file than asked for, or the file has changed \(expected bytes 0-9\/1000, got (bytes|status) .*\); open it again$/,
      );
    });

  it("notices a body of another length than its header says", async () => {
    const source = await openThen((response) => response.writeHead(206, range(0, 9, 1000)).end(file.slice(0, 8)));
    expect((await engineErrorOf(() => source.read(0, 10))).toLine()).to.match(
      /the server sent another number of bytes than asked for \(expected 10, got 8\)/,
    );
  });

  it("notices a body that breaks off", async () => {
    const breakOff = (response: ServerResponse, status: number, headers: object): void => {
      response.writeHead(status, { ...headers, "Content-Length": 10 }).write(file.slice(0, 4));
      setImmediate(() => response.destroy());
    };
    const source = await openThen((response) => breakOff(response, 206, range(0, 9, 1000)));
    const whenRead = await engineErrorOf(() => source.read(0, 10));
    await server?.close();
    const url = await start((_, response) => breakOff(response, 200, {}));
    const whenOpened = await engineErrorOf(() => openHttpSource(url));
    for (const error of [whenRead, whenOpened]) {
      expect([error.code, error.problem, error.fix]).to.deep.equal(["io", "the connection broke", "try again"]);
      expect(error.where).to.match(/x\.bin$/);
    }
  });
});
