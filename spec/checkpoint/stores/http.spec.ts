import { expect } from "chai";
import { inspect } from "node:util";
import { HttpStore } from "../../../checkpoint/stores/http.ts";
import { sendRange, serve, type Loopback } from "../../support/loopback.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const text = (bytes?: Uint8Array): string => new TextDecoder().decode(bytes);

const retries = { tries: 2, firstWait: 1 };

describe("HttpStore", () => {
  let server: Loopback;
  before(async () => {
    server = await serve((request, response) => {
      if (request.url?.startsWith("/bark/")) sendRange(request, response, new TextEncoder().encode(request.url));
      else response.writeHead(404).end();
    });
  });
  after(async () => await server.close());

  it("opens files below its URL, with or without a slash at its end", async () => {
    for (const url of [`${server.url}/bark`, `${server.url}/bark/`, `${server.url}/bark//`]) {
      const store = new HttpStore(url);
      expect(store.name).to.equal(`${server.url}/bark`);
      const source = await store.open("voices/a.npy");
      expect(source?.name).to.equal(`${server.url}/bark/voices/a.npy`);
      expect(text(await source?.read(0, source.size))).to.equal("/bark/voices/a.npy");
    }
  });

  it("opens files at the root of a server", async () => {
    for (const url of [server.url, `${server.url}/`]) {
      const source = await new HttpStore(url).open("bark/a.npy");
      expect(text(await source?.read(0, source.size))).to.equal("/bark/a.npy");
    }
  });

  it("escapes what has a meaning in a URL", async () => {
    const source = await new HttpStore(`${server.url}/bark`).open("é ?#%/x.npy");
    expect(text(await source?.read(0, source.size))).to.equal("/bark/%C3%A9%20%3F%23%25/x.npy");
  });

  it("has no file where the server has none", async () => {
    expect(await new HttpStore(`${server.url}/other`).open("config.json")).to.equal(undefined);
  });

  it("refuses paths that leave its folder, without asking", async () => {
    const asked = server.requests.length;
    for (const path of ["../secret", "voices/../../secret", ".."]) {
      const error = await engineErrorOf(() => new HttpStore(`${server.url}/bark`).open(path));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.equal(`${server.url}/bark: a path leaves the checkpoint's folder (got ${path})`);
    }
    expect(server.requests.length).to.equal(asked);
  });

  it("gives user and password to its own server alone, the query to each file, and shows neither", async () => {
    const authorizations: (string | undefined)[] = [];
    const storage = await serve((request, response) => {
      authorizations.push(request.headers.authorization);
      sendRange(request, response, new TextEncoder().encode(request.url));
    });
    const guarded = await serve((request, response) => {
      authorizations.push(request.headers.authorization);
      if (request.url?.startsWith("/moved")) response.writeHead(302, { Location: `${storage.url}/x` }).end();
      else if (request.url?.startsWith("/gone")) response.writeHead(403).end();
      else sendRange(request, response, new TextEncoder().encode(request.url));
    });
    try {
      const address = (folder: string): string =>
        `${guarded.url.replace("//", "//us%40er:p%C3%A4ss@")}/${folder}?sig=s3cret#f`;
      const store = new HttpStore(address("bark"), { retries });
      const source = (await store.open("a.npy"))!;
      expect(text(await source.read(0, source.size))).to.equal("/bark/a.npy?sig=s3cret");
      expect([store.name, source.name]).to.deep.equal([`${guarded.url}/bark`, `${guarded.url}/bark/a.npy`]);
      await new HttpStore(address("moved"), { retries }).open("a.npy");
      const basic = `Basic ${Buffer.from("us@er:päss").toString("base64")}`;
      expect(authorizations).to.deep.equal([basic, basic, undefined]);
      for (const call of [
        () => new HttpStore(address("gone"), { retries }).open("a.npy"),
        () => new HttpStore(address("bark"), { retries }).open("../a.npy"),
        () => new HttpStore(address("bark").replace("http", "gopher")),
      ]) {
        const error = await engineErrorOf(call);
        expect(inspect(error, { depth: 9 })).to.not.match(/p%C3|päss|s3cret/);
      }
    } finally {
      await Promise.all([guarded.close(), storage.close()]);
    }
  });

  it("says that HTML pages come in place of files", async () => {
    const app = await serve((_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<html>"));
    try {
      const store = new HttpStore(app.url, { retries });
      expect(store.name).to.equal(app.url);
      expect(await store.open("config.json")).to.equal(undefined);
      expect(store.name).to.equal(`${app.url} (sends an HTML page in place of a file)`);
    } finally {
      await app.close();
    }
  });

  it("refuses what cannot be fetched", async () => {
    for (const address of ["nano", "http://", "file:///nano", "blob:http://localhost/0"]) {
      const error = await engineErrorOf(() => new HttpStore(address));
      expect([error.code, error.where]).to.deep.equal(["usage", address]);
    }
  });
});
