import { expect } from "chai";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createServer, type ServerOptions } from "../../server/index.ts";
import { errorOf } from "../support/server/requests.ts";
import { StubBackend } from "../support/server/stub_backend.ts";

describe("who may use a server", () => {
  /** Answers without a network, as in Deno: `Deno.serve(server.fetch)`. */
  async function ask(options: ServerOptions, target: string, init: RequestInit = {}): Promise<Response> {
    const { fetch } = await createServer(new StubBackend(), options);
    return await fetch(new Request(new URL(target, "http://localhost:8880"), init));
  }
  const withKey = (key: string): RequestInit => ({ headers: { Authorization: key } });

  it("asks for a key, everywhere but where an orchestrator looks", async () => {
    const options = { api_keys: ["first", "second"] };
    for (const key of ["Bearer first", "Bearer second", "bearer second"])
      expect((await ask(options, "/v1/models", withKey(key))).status, key).equal(200);
    for (const key of ["", "Bearer", "Bearer third", "Bearer firs", "Basic first", "first", "Bearer first second"])
      for (const target of ["/v1/models", "/metrics", "/openapi.json", "/v1/audio/voices", "/none"]) {
        const response = await ask(options, target, withKey(key));
        expect(response.headers.get("www-authenticate")).equal("Bearer");
        expect(await errorOf(response), `${key} ${target}`).include({ status: 401, code: "invalid_api_key" });
      }
    for (const target of ["/livez", "/readyz"]) expect((await ask(options, target)).status).equal(200);
    expect((await ask({ ...options, public_voices: true }, "/v1/audio/voices")).status).equal(200);
  });

  it("is asked for by the names of this machine alone, against DNS rebinding", async () => {
    for (const host of ["localhost", "127.0.0.1:8880", "[::1]:9", "LOCALHOST"])
      expect((await ask({}, `http://${host}/livez`)).status, host).equal(200);
    for (const host of ["evil.example", "localhost.evil.example", "127.0.0.2"])
      expect(await errorOf(await ask({}, `http://${host}/v1/models`)), host).include({ code: "host_not_allowed" });
    expect((await ask({ allowed_hosts: ["bark.lan"] }, "http://bark.lan/livez")).status).equal(200);
    expect((await ask({ allowed_hosts: null }, "http://any.example/livez")).status).equal(200);
  });

  it("refuses pages of other origins, unless they are allowed", async () => {
    const from = (Origin: string, method = "GET"): RequestInit => ({ method, headers: { Origin } });
    for (const origin of ["http://evil.example", "null", "http://localhost:1"])
      expect(await errorOf(await ask({}, "/v1/models", from(origin)))).include({ code: "origin_not_allowed" });
    const own = { headers: { Origin: "https://localhost:8880", Host: "localhost:8880" } };
    expect((await ask({}, "/v1/models", own)).status, "behind a proxy with TLS").equal(200);
    const options = { cors: ["https://page.example"], api_keys: ["key"] };
    const preflight = await ask(options, "/v1/audio/speech", from("https://page.example", "OPTIONS"));
    expect(preflight.status).equal(204);
    expect(preflight.headers.get("access-control-allow-origin")).equal("https://page.example");
    const refused = await ask(options, "/v1/models", from("https://page.example"));
    expect(refused.headers.get("access-control-allow-origin"), "pages can read errors").equal("https://page.example");
    expect(refused.status).equal(401);
    expect((await ask({ cors: ["*"] }, "/v1/models", from("https://any.example"))).status).equal(200);
  });

  it("takes no voices unless that is allowed", async () => {
    expect((await ask({}, "/v1/audio/voices", { method: "POST" })).status).equal(405);
    expect((await ask({}, "/v1/audio/voices/alloy", { method: "DELETE" })).status).equal(404);
  });

  it("serves a page under /, by range, and nothing beside it", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "bark-web-"));
    await writeFile(path.join(folder, "index.html"), "<h1>page</h1>");
    const options = { web: folder, api_keys: ["key"] };
    const page = await ask(options, "/");
    expect(page.headers.get("content-security-policy")).equal("frame-ancestors 'none'");
    expect(await page.text()).equal("<h1>page</h1>");
    const part = await ask(options, "/index.html", { headers: { Range: "bytes=1-2" } });
    expect([part.status, await part.text()]).deep.equal([206, "h1"]);
    for (const target of ["/none.html", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/package.json", "/package.json"])
      expect((await errorOf(await ask(options, target))).status, target).equal(404);
    expect((await ask(options, "/v1/models")).status, "the rest needs the key").equal(401);
    await rm(folder, { recursive: true });
  });
});
