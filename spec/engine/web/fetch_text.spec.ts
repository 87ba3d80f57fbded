import { expect } from "chai";
import { fetchText } from "../../../engine/web/fetch_text.ts";
import { closedAddress, serve } from "../../support/loopback.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("fetchText", () => {
  const answers: Readonly<Record<string, [status: number, text: string]>> = {
    "/a.wgsl": [200, "fn main() {}"],
    "/app.wgsl": [200, "\n<!DOCTYPE html><html><body>not here</body></html>"],
    "/none.wgsl": [404, ""],
  };
  let server: Awaited<ReturnType<typeof serve>>;
  before(async () => {
    server = await serve((request, response) => {
      const [status, text] = answers[request.url!.split("?")[0]];
      response.writeHead(status).end(text);
    });
  });
  after(() => server.close());

  it("gives the text of a shader", async () => {
    expect(await fetchText(new URL("/a.wgsl", server.url))).equal("fn main() {}");
  });

  it("takes neither a page nor nothing for a shader, and shows no query", async () => {
    for (const [path, problem] of [
      ["/app.wgsl?token=s3cret", "the server sends an HTML page in its place"],
      ["/none.wgsl?token=s3cret", "the server answers with status 404"],
    ]) {
      const error = await engineErrorOf(() => fetchText(new URL(path, server.url)));
      const where = `${server.url}${path.split("?")[0]}`;
      expect([error.code, error.where, error.problem]).deep.equal(["io", where, problem]);
    }
  });

  it("names the address where nobody answers", async () => {
    const address = await closedAddress();
    const error = await engineErrorOf(() => fetchText(new URL("/a.wgsl", address)));
    expect([error.code, error.where]).deep.equal(["io", `${address}/a.wgsl`]);
  });
});
