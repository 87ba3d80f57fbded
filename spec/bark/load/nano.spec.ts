import { expect } from "chai";
import { chdir, cwd } from "node:process";
import { readFile } from "node:fs/promises";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { AutoConfig, BarkConfig, BarkProcessor } from "bark-webgpu";
import { addressBeside, nanoFiles } from "../../../bark/load/nano.ts";
import { engineErrorOf } from "../../support/rejection.ts";

interface Manifest {
  version?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

describe("the checkpoint that is called nano", () => {
  it("is that of models/nano, wherever the program runs, also beside a folder of that name", async () => {
    const expected = await BarkConfig.from_pretrained("models/nano");
    const before = cwd();
    const folder = mkdtempSync(path.join(tmpdir(), "bark-nano-"));
    mkdirSync(path.join(folder, "nano"));
    chdir(folder);
    try {
      expect(await AutoConfig.from_pretrained("nano")).deep.equal(expected);
      expect((await BarkProcessor.from_pretrained("nano")).available_voice_presets).contain("en_speaker_1");
      const inFolder = await engineErrorOf(() => BarkConfig.from_pretrained("./nano"));
      expect(inFolder.code).equal("bad-input");
    } finally {
      chdir(before);
      rmSync(folder, { recursive: true });
    }
  });

  it("has the version of the package, which the examples ask for, too", async () => {
    const read = async (file: string): Promise<Manifest> => JSON.parse(await readFile(file, "utf8")) as Manifest;
    const { version, optionalDependencies } = await read("package.json");
    expect((await read("models/nano/package.json")).version).equal(version);
    expect(optionalDependencies?.["bark-webgpu-nano"]).equal(version);
    for (const example of ["typescript", "vite", "webpack", "next", "extension"])
      expect((await read(`examples/${example}/package.json`)).dependencies?.["bark-webgpu"], example).equal(version);
  });

  it("lists all its files", async () => {
    const own = ["LICENSE-APACHE", "NOTICE", "README.md", "index.d.ts", "index.js", "package.json"];
    const onDisk = readdirSync("models/nano", { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative("models/nano", path.join(entry.parentPath, entry.name)).replaceAll(path.sep, "/"))
      .filter((name) => !own.includes(name));
    expect(Object.keys(await nanoFiles())).members(onDisk);
  });

  it("lies beside this package in node_modules and on CDNs", () => {
    expect(addressBeside("https://cdn.example/npm/bark-webgpu@0.1.0/dist/web/index.js")).equal(
      "https://cdn.example/npm/bark-webgpu-nano@0.1.0/index.js",
    );
    expect(addressBeside("http://localhost/node_modules/bark-webgpu/dist/web/chunks/a.js")).equal(
      "http://localhost/node_modules/bark-webgpu-nano/index.js",
    );
    expect(addressBeside("http://localhost/assets/index-1234.js")).equal(undefined);
    expect(addressBeside("file:///node_modules/bark-webgpu/dist/bark/load/nano.js")).equal(undefined);
  });
});
