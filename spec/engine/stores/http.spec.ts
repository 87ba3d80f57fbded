import { expect } from "chai";
import { HttpStore } from "../../../engine/stores/http.ts";
import { sendRange, serve, type Loopback } from "../../support/loopback.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const text = (bytes?: Uint8Array): string => new TextDecoder().decode(bytes);

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
});
