import { expect } from "chai";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

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

  it("is not a file", async () => {
    const [file, beside] = await openAt("file:///home/me/page.html", ["file:///models/nano", "nano"]);
    for (const line of [file, beside]) expect(line).match(/^usage file:\/\/\/.*begins with https:\/\//);
  });
});
