import { expect } from "chai";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { cachedFolder, extractTar } from "../../../engine/node/software/chromium_package.ts";

describe("cache of unpacked packages", () => {
  let root: string;
  let packageDir: string;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), "bark-cache-"));
    packageDir = path.join(root, "node_modules/@scope/package");
    await mkdir(packageDir, { recursive: true });
    await writeFile(path.join(packageDir, "package.json"), '{"version":"1.2.3"}');
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it("fills a folder once, named by the package's version", async () => {
    let fills = 0;
    const fill = async (folder: string) => {
      fills++;
      await writeFile(path.join(folder, "a"), "content");
    };
    const first = await cachedFolder(packageDir, "thing", fill);
    expect(await cachedFolder(packageDir, "thing", fill)).to.equal(first);
    expect(fills).to.equal(1);
    expect(first).to.equal(path.join(root, "node_modules/.cache/bark-webgpu/thing-1.2.3"));
    expect(await readFile(path.join(first, "a"), "utf8")).to.equal("content");
  });

  it("gives two that fill it at once one whole folder, and leaves nothing else", async () => {
    let waiting = 0;
    let release = () => {};
    const bothRun = new Promise<void>((resolve) => (release = resolve));
    const fill = async (folder: string) => {
      await writeFile(path.join(folder, "a"), "content");
      if (++waiting === 2) release();
      await bothRun;
    };
    const folders = await Promise.all([1, 2].map(() => cachedFolder(packageDir, "thing", fill)));
    expect(folders[0]).to.equal(folders[1]);
    expect(await readdir(path.dirname(folders[0]))).to.deep.equal(["thing-1.2.3"]);
  });

  it("reports a fill that fails, and leaves no folder behind", async () => {
    const home = process.env["XDG_CACHE_HOME"];
    process.env["XDG_CACHE_HOME"] = path.join(root, "user_cache");
    const error: unknown = await cachedFolder(packageDir, "thing", () => Promise.reject(new Error("disk full"))).catch(
      (e: unknown) => e,
    );
    if (home === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = home;
    expect(error).to.include({ code: "io" });
    expect((error as Error).message).to.contain("disk full");
    expect(await readdir(path.join(root, "node_modules/.cache/bark-webgpu"))).to.deep.equal([]);
  });

  it("extracts files with folders and modes from a tar archive", async () => {
    const tar = Buffer.concat([
      tarEntry("lib/a.so", 0o755, "x".repeat(600)),
      tarEntry("b", 0o644, ""),
      Buffer.alloc(1024),
    ]);
    await extractTar(tar, root);
    expect(await readFile(path.join(root, "lib/a.so"), "utf8")).to.equal("x".repeat(600));
    expect((await stat(path.join(root, "lib/a.so"))).mode & 0o700).to.equal(0o700);
    expect((await stat(path.join(root, "b"))).size).to.equal(0);
  });
});

function tarEntry(name: string, mode: number, content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(mode.toString(8).padStart(7, "0"), 100);
  header.write(content.length.toString(8).padStart(11, "0"), 124);
  header.write("0", 156);
  const padded = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  padded.write(content);
  return Buffer.concat([header, padded]);
}
