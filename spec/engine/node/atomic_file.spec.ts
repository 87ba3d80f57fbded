import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { EngineError } from "../../../engine/errors.ts";
import { makeFolder, writeFileAtomically } from "../../../engine/node/atomic_file.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("writeFileAtomically", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-write-"));
    file = path.join(folder, "out.wav");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("writes a new file and replaces an old one, leaving nothing else", async () => {
    for (const content of ["first and longer", "second", ""]) {
      await writeFileAtomically(file, bytes(content));
      expect(readFileSync(file, "utf8")).to.equal(content);
      expect(readdirSync(folder)).to.deep.equal(["out.wav"]);
    }
  });

  it("writes parts in their order, and shows none of them before the last", async () => {
    writeFileSync(file, "old");
    await writeFileAtomically(
      file,
      (async function* () {
        for (const part of ["one ", "", "two ", "three"]) {
          yield Promise.resolve(bytes(part));
          expect(readFileSync(file, "utf8")).to.equal("old");
        }
      })(),
    );
    expect(readFileSync(file, "utf8")).to.equal("one two three");
    expect(readdirSync(folder)).to.deep.equal(["out.wav"]);
  });

  it("keeps the old file and leaves nothing when the parts fail, and throws what they threw", async () => {
    writeFileSync(file, "old");
    const fault = new EngineError("bad-input", "no more");
    const error = await engineErrorOf(() =>
      writeFileAtomically(
        file,
        (async function* () {
          yield Promise.resolve(bytes("half"));
          throw fault;
        })(),
      ),
    );
    expect(error).to.equal(fault);
    expect(readFileSync(file, "utf8")).to.equal("old");
    expect(readdirSync(folder)).to.deep.equal(["out.wav"]);
  });

  it("writes the same file at once from many places: one of them is whole", async () => {
    const contents = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(50_000));
    await Promise.all(contents.map((content) => writeFileAtomically(file, bytes(content))));
    expect(contents).to.include(readFileSync(file, "utf8"));
    expect(readdirSync(folder)).to.deep.equal(["out.wav"]);
  });

  it("names the file and the reason, and leaves nothing", async () => {
    writeFileSync(file, "old");
    mkdirSync(path.join(folder, "full"));
    writeFileSync(path.join(folder, "full", "x"), "");
    const before = readdirSync(folder).sort();
    for (const [target, line] of [
      [path.join(folder, "full"), /full: is a folder; give the path of a file$/],
      [path.join(folder, "gone", "out.wav"), /gone\/out\.wav: the folder does not exist; create it, or give another/],
      [path.join(file, "out.wav"), /: the folder is not a folder; give another path$/],
      [path.join(folder, "x".repeat(300)), /: cannot be written: ENAMETOOLONG.*; give another path$/],
    ] as const) {
      const error = await engineErrorOf(() => writeFileAtomically(target, bytes("new")));
      expect([error.code, error.where]).to.deep.equal(["io", target]);
      expect(error.toLine()).to.match(line);
      expect(readdirSync(folder).sort()).to.deep.equal(before);
      expect(readdirSync(path.join(folder, "full"))).to.deep.equal(["x"]);
    }
    expect(readFileSync(file, "utf8")).to.equal("old");
  });

  if (process.platform !== "win32")
    it("writes to a pipe, and does not put a file in its place", async () => {
      const pipe = path.join(folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      const reader = await open(pipe, "r+"); // opening it for reading alone would wait for a writer
      try {
        await writeFileAtomically(pipe, bytes("through"));
        expect(statSync(pipe).isFIFO()).to.equal(true);
        const { buffer, bytesRead } = await reader.read(new Uint8Array(20));
        expect(new TextDecoder().decode(buffer.subarray(0, bytesRead))).to.equal("through");
      } finally {
        await reader.close();
      }
      expect(readdirSync(folder)).to.deep.equal(["pipe"]);
    });
});

describe("makeFolder", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "bark-folder-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("makes the folders that are missing, and is content with those that are there", async () => {
    for (let i = 0; i < 2; i++) await makeFolder(path.join(folder, "a", "b"));
    expect(statSync(path.join(folder, "a", "b")).isDirectory()).to.equal(true);
  });

  it("names a file in the way", async () => {
    writeFileSync(path.join(folder, "a"), "");
    for (const below of ["a", path.join("a", "b")]) {
      const error = await engineErrorOf(() => makeFolder(path.join(folder, below)));
      expect([error.code, error.where]).to.deep.equal(["io", path.join(folder, below)]);
      expect(error.message).to.match(/a file stands in the way|the folder is not a folder/);
    }
  });
});
