import { expect } from "chai";
import { execFileSync, spawnSync, type SpawnSyncOptions } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { EngineError } from "../../../engine/errors.ts";
import {
  checkWritable,
  makeFolder,
  removeTemporaries,
  writeFileAtomically,
} from "../../../checkpoint/node/atomic_file.ts";
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
    symlinkSync("round", path.join(folder, "circle"));
    symlinkSync("circle", path.join(folder, "round"));
    const before = readdirSync(folder).sort();
    for (const [target, line] of [
      [path.join(folder, "circle"), /circle: the symbolic links go round in a circle/],
      [path.join(folder, "full"), /full: is not the name of a file; give a file's name$/],
      [path.join(folder, "gone", "out.wav"), /gone\/out\.wav: the folder does not exist; create it, or give another/],
      [path.join(file, "out.wav"), /: the folder is not a folder; give another path$/],
      [`${file}/`, /out\.wav\/: is not the name of a file/],
      [path.join(folder, "x".repeat(300)), /: the name is too long for the file system; give a shorter one$/],
    ] as const) {
      const error = await engineErrorOf(() => writeFileAtomically(target, bytes("new")));
      expect([error.code, error.where]).to.deep.equal(["io", target]);
      expect(error.toLine()).to.match(line);
      expect(readdirSync(folder).sort()).to.deep.equal(before);
      expect(readdirSync(path.join(folder, "full"))).to.deep.equal(["x"]);
    }
    expect(readFileSync(file, "utf8")).to.equal("old");
  });

  it("keeps the cause of what making the parts throws", async () => {
    const fault = new RangeError("Array buffer allocation failed");
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      yield Promise.resolve(bytes("half"));
      throw fault;
    };
    expect(await writeFileAtomically(file, parts()).catch((error: unknown) => error)).to.equal(fault);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("takes a name as long as the file system does", async () => {
    for (const name of [`${"x".repeat(251)}.wav`, `${"ю".repeat(120)}.wav`]) {
      await writeFileAtomically(path.join(folder, name), bytes("long"));
      expect(readdirSync(folder)).to.deep.equal([name]);
      rmSync(path.join(folder, name));
    }
  });

  it("removes what is half written when the process is about to end", async () => {
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      yield Promise.resolve(bytes("half"));
      expect(readdirSync(folder)[0]).to.match(/^\.bark-\w{8}\.tmp$/);
      removeTemporaries();
      expect(readdirSync(folder)).to.deep.equal([]);
      throw new EngineError("aborted", "stopped");
    };
    expect((await engineErrorOf(() => writeFileAtomically(file, parts()))).code).to.equal("aborted");
  });

  it("says beforehand what is wrong with a name", async () => {
    mkdirSync(path.join(folder, "full"));
    for (const [target, line] of [
      ["full", /full: is not the name of a file/],
      ["gone/out.wav", /gone\/out\.wav: the folder does not exist; mkdir -p .*\/gone$/],
      [`${"x".repeat(252)}.wav`, /the name is too long for the file system/],
    ] as const) {
      const error = await engineErrorOf(() => checkWritable(path.join(folder, target)));
      expect(error.code).to.equal("usage");
      expect(error.toLine()).to.match(line);
    }
    expect((await checkWritable(file)).path).to.equal(file);
    expect(readdirSync(folder)).to.deep.equal(["full"]);
  });

  if (process.platform === "win32") return;

  it("writes where symbolic links lead, also if nothing is there yet", async () => {
    mkdirSync(path.join(folder, "real/deep"), { recursive: true });
    symlinkSync("real/deep", path.join(folder, "way"));
    symlinkSync("way/../t.wav", path.join(folder, "two")); // beside `deep`, not beside `way`
    symlinkSync(path.join(folder, "two"), file);
    for (const content of ["new", "second"]) {
      await writeFileAtomically(file, bytes(content));
      expect(readFileSync(path.join(folder, "real/t.wav"), "utf8")).to.equal(content);
    }
    for (const link of [file, path.join(folder, "two")]) expect(lstatSync(link).isSymbolicLink()).to.equal(true);
    expect(readdirSync(folder).sort()).to.deep.equal(["out.wav", "real", "two", "way"]);
    expect(readdirSync(path.join(folder, "real")).sort()).to.deep.equal(["deep", "t.wav"]);
  });

  it("keeps mode and owner of an old file, and gives a new one what the umask leaves", async () => {
    await writeFileAtomically(file, bytes("new"));
    expect(statSync(file).mode & 0o777).to.equal(0o666 & ~process.umask());
    for (const mode of [0o600, 0o646, 0o751]) {
      chmodSync(file, mode);
      await writeFileAtomically(file, bytes("newer"));
      expect((statSync(file).mode & 0o777).toString(8)).to.equal(mode.toString(8));
    }
    if (process.getuid?.() !== 0) return;
    chownSync(file, 1234, 2345);
    await writeFileAtomically(file, bytes("newest"));
    expect([statSync(file).uid, statSync(file).gid]).to.deep.equal([1234, 2345]);
  });

  it("writes to a pipe, and does not put a file in its place", async () => {
    const pipe = path.join(folder, "pipe");
    const link = path.join(folder, "link");
    execFileSync("mkfifo", [pipe]);
    symlinkSync("pipe", link);
    const reader = await open(pipe, "r+"); // opening it for reading alone would wait for a writer
    try {
      for (const target of [pipe, link]) {
        await writeFileAtomically(target, bytes("through"));
        expect(statSync(pipe).isFIFO()).to.equal(true);
        const { buffer, bytesRead } = await reader.read(new Uint8Array(20));
        expect(new TextDecoder().decode(buffer.subarray(0, bytesRead))).to.equal("through");
      }
    } finally {
      await reader.close();
    }
    expect(readdirSync(folder).sort()).to.deep.equal(["link", "pipe"]);
  });

  describe("in a process that is not root", () => {
    const unprivileged = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

    /** What it says, or nothing if all went well. */
    function writeAlone(target: string, stdio: SpawnSyncOptions["stdio"] = "pipe"): string {
      const entry = fileURLToPath(new URL("../../support/files/write_file.ts", import.meta.url));
      const child = spawnSync(process.execPath, ["--import", import.meta.resolve("tsx"), entry, target, "new"], {
        stdio,
        encoding: "utf8",
        ...unprivileged,
      });
      return child.status === 0 ? "" : child.stderr;
    }

    it("writes to the descriptors that it was given, whatever is behind them", () => {
      for (const [name, number] of [
        ["/dev/stdout", 1],
        ["/dev/fd/1", 1],
        ["/proc/self/fd/3", 3],
      ] as const) {
        writeFileSync(file, "before ");
        chmodSync(file, 0o600); // of root, if that is who runs this: only the descriptor is allowed
        const descriptor = openSync(file, "a");
        const stdio = ["ignore", "ignore", "pipe", "ignore"] as (number | "ignore" | "pipe")[];
        stdio[number] = descriptor;
        expect(writeAlone(name, stdio)).to.equal("");
        closeSync(descriptor);
        expect(readFileSync(file, "utf8"), name).to.equal("before new");
      }
      expect(readdirSync(folder)).to.deep.equal(["out.wav"]);
    });

    it("writes to devices, and says of a descriptor that it is not open", () => {
      expect(writeAlone("/dev/null")).to.equal("");
      expect(writeAlone("/dev/fd/77")).to.equal("/dev/fd/77: is not open for writing; give another path\n");
      expect(writeAlone("/dev/full")).to.equal("/dev/full: the disk is full; make room, or give another path\n");
    });

    it("does not replace a file that it may not write", () => {
      chmodSync(folder, 0o777);
      writeFileSync(file, "old");
      chmodSync(file, 0o444);
      expect(writeAlone(file)).to.equal(`${file}: no permission to write here; give another path\n`);
      expect(readFileSync(file, "utf8")).to.equal("old");
    });

    it("writes into a file that it may write, in a folder that it may not", () => {
      writeFileSync(file, "old and longer");
      chmodSync(file, 0o666);
      chmodSync(folder, 0o555);
      expect(writeAlone(file)).to.equal("");
      expect(readFileSync(file, "utf8")).to.equal("new");
      expect(writeAlone(path.join(folder, "other"))).to.match(/other: no permission to write here/);
      chmodSync(folder, 0o777);
    });

    it("writes into a file of another user in a folder like /tmp, where no file of others can be replaced", function () {
      if (process.getuid?.() !== 0) return this.skip();
      writeFileSync(file, "old and longer");
      chmodSync(file, 0o666);
      chmodSync(folder, 0o1777);
      expect(writeAlone(file)).to.equal("");
      expect(readFileSync(file, "utf8")).to.equal("new");
      expect(statSync(file).uid).to.equal(0);
      expect(readdirSync(folder)).to.deep.equal(["out.wav"]);
    });
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
