import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FileSource } from "../../../checkpoint/node/file_source.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("FileSource", () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-file-"));
    file = path.join(folder, "x.bin");
    writeFileSync(file, bytes);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function opened<T>(use: (source: FileSource) => Promise<T>, name = file): Promise<T> {
    const source = (await FileSource.open(name))!;
    try {
      return await use(source);
    } finally {
      await source.close();
    }
  }

  it("reads ranges into buffers of their own", async () => {
    await opened(async (source) => {
      expect([source.name, source.size]).to.deep.equal([file, 5000]);
      const part = await source.read(4000, 300);
      expect(part).to.deep.equal(bytes.slice(4000, 4300));
      expect([part.byteOffset, part.buffer.byteLength]).to.deep.equal([0, 300]);
      expect(await source.read(0, 5000)).to.deep.equal(bytes);
      expect((await source.read(5000, 0)).length).to.equal(0);
    });
  });

  it("reads an empty file", async () => {
    writeFileSync(file, "");
    expect(await opened(async (source) => [source.size, (await source.read(0, 0)).length])).to.deep.equal([0, 0]);
  });

  it("reads beyond 4 GiB", async () => {
    truncateSync(file, 2 ** 32 + 10); // sparse: it takes no room
    const part = await opened(async (source) => {
      expect(source.size).to.equal(2 ** 32 + 10);
      return await source.read(2 ** 32, 10);
    });
    expect(part).to.deep.equal(new Uint8Array(10));
  });

  it("refuses what lies outside", async () => {
    const error = await opened(async (source) => await engineErrorOf(() => source.read(4999, 2)));
    expect(error.code).to.equal("bad-input");
    expect(error.toLine()).to.equal(
      `${file}: the file ends too early (expected bytes 4999 to 5001, got 5000 bytes in all); download or copy the file again`,
    );
  });

  const changes: Record<string, () => void> = {
    shorter: () => truncateSync(file, 100),
    longer: () => writeFileSync(file, "more", { flag: "a" }),
    // As long, as old to the second.
    different: () => {
      writeFileSync(file, new Uint8Array(5000));
      utimesSync(file, opening, opening + 0.001);
    },
  };
  const opening = 1.7e9;
  for (const [how, change] of Object.entries(changes))
    it(`notices that the file became ${how}`, async () => {
      utimesSync(file, opening, opening);
      const error = await opened(async (source) => {
        expect((await source.read(50, 100))[0]).to.equal(50);
        change();
        return await engineErrorOf(() => source.read(50, 100));
      });
      expect(`${error.code} ${error.toLine()}`).to.equal(
        `bad-input ${file}: the file was changed after it was opened; load the model again`,
      );
    });

  it("reads on where another file takes its name", async () => {
    await opened(async (source) => {
      rmSync(file);
      writeFileSync(file, "other");
      expect(await source.read(0, 5000)).to.deep.equal(bytes);
    });
  });

  it("closes when the reads that run are done", async () => {
    const source = (await FileSource.open(file))!;
    const reads = Array.from({ length: 20 }, () => source.read(0, 5000));
    await Promise.all([source.close(), source.close()]);
    for (const read of reads) expect(await read).to.deep.equal(bytes);
  });

  it("closes a file that nobody closed, when it is collected", async function () {
    if (process.platform !== "linux") return this.skip();
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const open = (): number => readdirSync("/proc/self/fd").length;
    const before = open();
    for (let i = 0; i < 20; i++) await FileSource.open(file);
    expect(open()).to.be.at.least(before + 20);
    for (let i = 0; i < 50 && open() > before; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(open()).to.equal(before);
  });

  it("names the file when it is read after it was closed", async () => {
    const source = (await FileSource.open(file))!;
    await source.close();
    const error = await engineErrorOf(() => source.read(0, 1));
    expect([error.code, error.where]).to.deep.equal(["io", file]);
    expect(error.problem).to.equal("cannot be read: it is closed");
  });

  it("has no source for a file that is missing", async () => {
    for (const name of ["gone.bin", "gone/x.bin", "x.bin/below"])
      expect(await FileSource.open(path.join(folder, name)), name).to.equal(undefined);
  });

  it("refuses anything but a file", async () => {
    const line = async (name: string) => {
      const error = await engineErrorOf(() => FileSource.open(name));
      return `${error.code} ${error.toLine()}`;
    };
    expect(await line(folder)).to.match(/^bad-input .*bark-file-\w+: is not a file \(got a folder\)$/);
    expect(await line(path.join(folder, "x".repeat(300)))).to.match(/cannot be read .*got ENAMETOOLONG/);
    expect(await line(path.join(folder, "a\0b"))).to.match(/cannot be read .*got ERR_INVALID_ARG_VALUE/);
  });

  it("does not wait at a pipe, nor open a device", async function () {
    if (process.platform === "win32") return this.skip();
    const pipe = path.join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const [name, kind] of [
      [pipe, "a pipe"],
      ["/dev/null", "a device"],
    ])
      expect((await engineErrorOf(() => FileSource.open(name))).toLine()).to.equal(
        `${name}: is not a file (got ${kind})`,
      );
  });

  it("refuses what only stands in for a file", async () => {
    for (const [content, says] of [
      [
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        /x\.bin: is a git-lfs pointer.*git lfs pull/,
      ],
      ["\n<!DOCTYPE html>\n<title>Sign in</title>", /x\.bin: is an HTML page.*\/resolve\//],
      ["<html><head>", /x\.bin: is an HTML page/],
    ] as const) {
      writeFileSync(file, content);
      const error = await engineErrorOf(() => FileSource.open(file));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(says);
    }
  });
});
