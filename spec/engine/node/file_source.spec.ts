import { expect } from "chai";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FileSource } from "../../../engine/node/file_source.ts";
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

  it("notices when the file becomes shorter", async () => {
    const error = await opened(async (source) => {
      truncateSync(file, 100);
      return await engineErrorOf(() => source.read(50, 100));
    });
    expect([error.code, error.where]).to.deep.equal(["bad-input", file]);
    expect(error.problem).to.equal("the file became shorter while it was read");
  });

  it("names the file when it is read after it was closed", async () => {
    const source = (await FileSource.open(file))!;
    await source.close();
    const error = await engineErrorOf(() => source.read(0, 1));
    expect([error.code, error.where]).to.deep.equal(["io", file]);
    expect(error.problem).to.match(/^cannot be read: /);
  });

  it("has no source for a file that is missing", async () => {
    for (const name of ["gone.bin", "gone/x.bin", "x.bin/below"])
      expect(await FileSource.open(path.join(folder, name)), name).to.equal(undefined);
  });

  it("refuses what is no file", async () => {
    const line = async (name: string) => {
      const error = await engineErrorOf(() => FileSource.open(name));
      return `${error.code} ${error.toLine()}`;
    };
    expect(await line(folder)).to.match(/^bad-input .*bark-file-\w+: is not a file$|cannot be read .*EISDIR/);
    expect(await line(path.join(folder, "x".repeat(300)))).to.match(/cannot be read .*got ENAMETOOLONG/);
    expect(await line(path.join(folder, "a\0b"))).to.match(/cannot be read .*got ERR_INVALID_ARG_VALUE/);
  });
});
