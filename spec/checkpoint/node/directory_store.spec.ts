import { expect } from "chai";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DirectoryStore } from "../../../checkpoint/node/directory_store.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("DirectoryStore", () => {
  let outer: string;
  let folder: string;
  before(() => {
    outer = mkdtempSync(path.join(tmpdir(), "bark-store-"));
    folder = path.join(outer, "model");
    mkdirSync(path.join(folder, "voices"), { recursive: true });
    writeFileSync(path.join(folder, "config.json"), "{}");
    writeFileSync(path.join(folder, "voices", "..a.npy"), "voice");
    writeFileSync(path.join(outer, "secret"), "secret");
  });
  after(() => rmSync(outer, { recursive: true }));

  async function read(file: string, store = new DirectoryStore(folder)): Promise<string | undefined> {
    const source = await store.open(file);
    if (source === undefined) return undefined;
    try {
      return new TextDecoder().decode(await source.read(0, source.size));
    } finally {
      await source.close();
    }
  }

  it("opens files below its folder", async () => {
    expect(new DirectoryStore(folder).name).to.equal(folder);
    expect(await read("config.json")).to.equal("{}");
    expect(await read("voices/../config.json")).to.equal("{}");
    expect(await read("voices/..a.npy")).to.equal("voice");
    const source = await new DirectoryStore(folder).open("config.json");
    expect(source?.name).to.equal(path.join(folder, "config.json"));
    await source?.close();
  });

  it("opens a file that is a link out of the folder, as in the cache of the Hugging Face hub", async () => {
    symlinkSync("../secret", path.join(folder, "linked"));
    expect(await read("linked")).to.equal("secret");
  });

  it("has no missing file", async () => {
    for (const file of ["gone", "gone/config.json", "config.json/below"])
      expect(await read(file), file).to.equal(undefined);
  });

  it("refuses a folder in place of a file", async () => {
    for (const file of ["voices", "", "."]) {
      const error = await engineErrorOf(() => read(file));
      expect([error.code, error.problem]).to.deep.equal(["bad-input", "is not a file"]);
    }
  });

  it("refuses paths that leave its folder", async () => {
    for (const file of ["../secret", "..", "voices/../../secret", "./../secret", path.join(outer, "secret")]) {
      const error = await engineErrorOf(() => read(file));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.equal(`${folder}: a path leaves the checkpoint's folder (got ${file})`);
    }
  });

  it("refuses a path that is not a folder", async () => {
    const line = async (directory: string) => {
      const error = await engineErrorOf(() => new DirectoryStore(directory));
      expect([error.code, error.where]).to.deep.equal(["bad-input", directory]);
      return error.toLine();
    };
    expect(await line(path.join(outer, "gone"))).to.match(/gone: no such folder; give the folder of a Bark checkpoint/);
    expect(await line(path.join(outer, "secret"))).to.match(/: is not a folder; give the folder/);
    expect(await line(path.join(outer, "secret", "below"))).to.match(/: no such folder/);
    expect(await line(path.join(outer, "x".repeat(300)))).to.match(/: no such folder: ENAMETOOLONG/);
    expect(await line(path.join(outer, "a\0b"))).to.match(/: no such folder: /);
  });
});
