import { expect } from "chai";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ExtensionStore } from "../../../checkpoint/web/extension_store.ts";
import { engineErrorOf } from "../../support/rejection.ts";

/** What a page at `href` makes of each location: the store's name or the error's line. In a process of its own. */
async function openAt(href: string, locations: readonly string[]): Promise<string[]> {
  const script = `
    globalThis.location = { href: ${JSON.stringify(href)} };
    const { webFileHost } = await import("./checkpoint/web/index.ts");
    for (const location of ${JSON.stringify(locations)})
      console.log(await webFileHost.openStore(location).then((store) => store.name, (e) => e.code + " " + e.message));`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return stdout.trim().split("\n");
}

describe("where a page finds a checkpoint", () => {
  it("is an address beside it, at its root or elsewhere, or a repository", async () => {
    const found = await openAt("http://localhost:80/app/", [
      "nano",
      "./a/b",
      "/m",
      "https://u:p@e.org/m?t=1",
      "suno/bark",
    ]);
    expect(found).deep.equal([
      "http://localhost/app/nano",
      "http://localhost/app/a/b",
      "http://localhost/m",
      "https://e.org/m",
      "suno/bark",
    ]);
  });

  it("is the whole address in a worker that was made of a Blob", async () => {
    const [whole, ...refused] = await openAt("blob:http://localhost/0-0", ["http://localhost/m", "nano", "./m", "/m"]);
    expect(whole).equal("http://localhost/m");
    for (const line of refused) expect(line).match(/^usage .*relative address.*Blob; give the whole address/);
  });

  it("is beside the page of an extension, whose files come whole and without their size", async () => {
    const [beside] = await openAt("chrome-extension://abc/page.html", ["./nano/"]);
    expect(beside).equal("chrome-extension://abc/nano");
    const fetched = globalThis.fetch;
    const asked: string[] = [];
    globalThis.fetch = async (given) => {
      const address = given instanceof Request ? given.url : String(given);
      asked.push(address);
      if (!address.endsWith("/config.json")) throw new TypeError("Failed to fetch");
      return Promise.resolve(new Response("{}"));
    };
    try {
      const store = new ExtensionStore("chrome-extension://abc/nano/");
      expect(await store.open("missing.json")).equal(undefined);
      const found = await store.open("config.json");
      expect([found?.size, new TextDecoder().decode(await found?.read(0, 2))]).deep.equal([2, "{}"]);
      expect(asked).deep.equal(["missing.json", "config.json"].map((name) => `chrome-extension://abc/nano/${name}`));
      const error = await engineErrorOf(() =>
        new ExtensionStore("chrome-extension://abc", AbortSignal.abort()).open("a"),
      );
      expect(error.code).equal("aborted");
    } finally {
      globalThis.fetch = fetched;
    }
  });

  it("is not a file", async () => {
    const [file, beside] = await openAt("file:///home/me/page.html", ["file:///models/nano", "nano"]);
    for (const line of [file, beside]) expect(line).match(/^usage file:\/\/\/.*begins with https:\/\//);
  });
});
