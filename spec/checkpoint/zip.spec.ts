import { expect } from "chai";
import { crc32, writeZip, ZipReader } from "../../checkpoint/zip.ts";
import { MemorySource } from "../../checkpoint/sources/memory.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { WatchedSource } from "../support/files/watched_store.ts";
import { zipBytes, type ZipMember } from "../support/files/zip_bytes.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const open = async (bytes: Uint8Array) => await ZipReader.open(new MemorySource("x.zip", bytes));
const member = (fields: Partial<ZipMember> = {}): ZipMember => ({
  name: "a",
  content: encode("first content"),
  ...fields,
});

/** What every file holds. */
async function contents(bytes: Uint8Array): Promise<Record<string, string>> {
  const zip = await open(bytes);
  const result: Record<string, string> = {};
  for (const entry of zip.entries.values())
    result[entry.name] = new TextDecoder().decode(await zip.read(entry, 1 << 20));
  return result;
}

async function fault(bytes: Uint8Array, maxSize = 1 << 20): Promise<string> {
  const error = await engineErrorOf(async () => {
    const zip = await open(bytes);
    for (const entry of zip.entries.values()) await zip.read(entry, maxSize);
  });
  return `${error.code} ${error.toLine()}`;
}

describe("ZipReader", () => {
  const long = "again and ".repeat(20_000);
  const members = [
    member(),
    member({ name: "folder/b", content: encode(long), deflated: true }),
    member({ name: "empty", content: new Uint8Array(0) }),
    member({ name: "é", content: new Uint8Array(0), deflated: true, padding: 37 }),
  ];
  const expected = { a: "first content", "folder/b": long, empty: "", é: "" };

  it("reads stored and deflated files", async () => {
    expect(await contents(zipBytes(members))).to.deep.equal(expected);
  });

  it("reads zip64, of the files and of the directory", async () => {
    const wide = members.map((one) => ({ ...one, zip64: true }));
    expect(await contents(zipBytes(wide))).to.deep.equal(expected);
    expect(await contents(zipBytes(members, { zip64: true }))).to.deep.equal(expected);
    expect(await contents(zipBytes(wide, { zip64: true }))).to.deep.equal(expected);
  });

  it("reads of zip64 the fields that do not fit, and no others", async () => {
    for (const field of ["count", "size", "offset"] as const)
      expect(await contents(zipBytes(members, { zip64: [field] })), field).to.deep.equal(expected);
    const unused = zipBytes([member()], { zip64: [] });
    expect(await contents(unused.fill(0, unused.length - 22 - 20 - 56, unused.length - 22 - 20 - 55))).to.deep.equal({
      a: "first content",
    });
    const extra = Uint8Array.of(1, 0, 8, 0, 13, 0, 0, 0, 0, 0, 0, 0);
    expect(await contents(zipBytes([member({ size: 0xffffffff, extra })]))).to.deep.equal({ a: "first content" });
  });

  it("reads a file without a name, and comments of files", async () => {
    const comment = encode("a comment of 46 bytes, which is as long as this");
    const named = [member({ comment }), member({ name: "", comment })];
    expect(await contents(zipBytes(named))).to.deep.equal({ a: "first content", "": "first content" });
    expect(await contents(zipBytes([member({ name: "" })]))).to.deep.equal({ "": "first content" });
  });

  it("reads the start of a file, and of the archive no more than that may take", async () => {
    const noise = Uint8Array.from({ length: 300_000 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
    const bytes = zipBytes([
      member(),
      member({ name: "deflated", content: encode(long), deflated: true }),
      member({ name: "noise", content: noise, deflated: true }),
      member({ name: "stored", content: noise }),
    ]);
    const source = new WatchedSource(new MemorySource("x.zip", bytes));
    const zip = await ZipReader.open(source);
    for (const [name, content] of [
      ["a", encode("first content")],
      ["deflated", encode(long)],
      ["noise", noise],
      ["stored", noise],
    ] as const)
      for (const length of [500, 100_000, 400_000]) {
        const entry = zip.entries.get(name)!;
        expect(await zip.readStart(entry, length), `${name} ${length}`).to.deep.equal(content.slice(0, length));
        expect(source.reads.at(-1)?.[1]).to.equal(Math.min(entry.compressedSize, 2 * length));
      }
  });

  it("finds the directory before a comment of any length", async () => {
    for (const length of [1, 100, 65_535])
      for (const zip64 of [false, true]) {
        const comment = new Uint8Array(length).fill(0x50);
        expect(await contents(zipBytes(members, { zip64, comment })), `${length} ${zip64}`).to.deep.equal(expected);
      }
  });

  it("reads an archive without files", async () => {
    expect(await contents(zipBytes([]))).to.deep.equal({});
  });

  it("reads by range: the directory, and of a file its own bytes", async () => {
    const bytes = zipBytes([member({ content: new Uint8Array(200_000) }), member({ name: "b", padding: 12 })]);
    const source = new WatchedSource(new MemorySource("x.zip", bytes));
    const zip = await ZipReader.open(source);
    expect(source.bytesRead).to.be.below(70_000);
    const entry = zip.entries.get("b")!;
    const before = source.reads.length;
    expect(new TextDecoder().decode(await zip.read(entry, 100))).to.equal("first content");
    const begin = 30 + 1 + 200_000;
    expect(source.reads.slice(before)).to.deep.equal([
      [begin, 30],
      [begin + 30 + 1 + 12, 13],
    ]);
    expect(await zip.dataOffset(entry)).to.equal(begin + 30 + 1 + 12);
    expect(entry).to.deep.equal({
      name: "b",
      method: 0,
      size: 13,
      compressedSize: 13,
      crc32: crc32(encode("first content")),
      isEncrypted: false,
      headerOffset: begin,
    });
  });

  const bytes = zipBytes(members);
  const directoryAt = bytes.length - 22 - 4 * 46 - "afolder/bempty".length - 2;
  const changed = (at: number, ...values: number[]): Uint8Array => {
    const copy = bytes.slice();
    copy.set(values, at);
    return copy;
  };
  const refused: Record<string, [bytes: Uint8Array, line: RegExp]> = {
    "an empty file": [new Uint8Array(0), /x\.zip: is not a zip archive .*got no end record/],
    "another file": [encode("{}".repeat(1000)), /is not a zip archive/],
    "an archive without its end": [bytes.slice(0, -1), /is not a zip archive/],
    "an archive without its begin": [bytes.slice(1), /x\.zip: the zip directory (is damaged|lies outside the file)/],
    "a directory longer than the file": [changed(bytes.length - 8, 0xff), /the zip directory lies outside the file/],
    "an end that names more files than fit": [
      zipBytes([], { count: 0xffff }),
      /x\.zip: the zip directory is damaged; the file/,
    ],
    "more files than fit, without zip64": [zipBytes(members, { count: 0xffff }), /the zip directory is damaged/],
    "a zip64 field of no bytes": [
      zipBytes([member({ size: 0xffffffff, extra: Uint8Array.of(1, 0, 0, 0) })]),
      /x\.zip: a has a damaged zip64 field/,
    ],
    "a directory out of the file": [changed(bytes.length - 6, 0xff, 0xff, 0xff), /the zip directory lies outside/],
    "a damaged directory": [changed(directoryAt, 0), /the zip directory is damaged/],
    "a name beyond the directory": [changed(directoryAt + 28, 0xff, 0xff), /the zip directory is damaged/],
    "more files than the directory holds": [zipBytes(members, { count: 9 }), /the zip directory is damaged/],
    "2^40 files": [zipBytes(members, { count: 2 ** 40, zip64: true }), /the zip directory is damaged/],
    "a damaged zip64 record": [zipBytes([], { zip64: true }).fill(0, 0, 1), /x\.zip: has a damaged zip64 end record/],
    "a zip64 locator out of the file": [
      zipBytes([], { zip64: true }).fill(0xff, 64, 72),
      /x\.zip: the file ends too early/,
    ],
    "sizes for a zip64 field that is missing": [
      zipBytes([member({ size: 0xffffffff })]),
      /x\.zip: a has no zip64 field/,
    ],
    "an encrypted file": [zipBytes([member(), member({ name: "b", flags: 1 })]), /x\.zip: b is encrypted/],
    "a name twice": [zipBytes([member(), member({ content: encode("other") })]), /x\.zip: holds a twice/],
    "a damaged local header": [changed(0, 0), /x\.zip: a has no local header/],
    "a local header beyond the file": [changed(directoryAt + 42, 0xff, 0xff, 0xff), /x\.zip: the file ends too early/],
    "an unknown compression": [
      zipBytes([member({ method: 12 })]),
      /x\.zip: a: unknown zip compression \(expected stored or deflated, got 12\)/,
    ],
    "a wrong checksum": [zipBytes([member({ crc: 1 })]), /x\.zip: a: does not match its checksum; fetch or save/],
    "a changed byte": [changed(31, 0), /x\.zip: a: does not match its checksum/],
    "a changed byte of a deflated file": [
      zipBytes([member({ deflated: true, crc: 1 })]),
      /x\.zip: a: does not match its checksum/,
    ],
    "a size that is too large": [zipBytes([member({ size: 14 })]), /does not match its checksum/],
    "a deflated size that is too large": [zipBytes([member({ size: 14, deflated: true })]), /does not match its/],
    "a deflated size that is too small": [
      zipBytes([member({ size: 12, deflated: true })]),
      /x\.zip: a: cannot be inflated/,
    ],
    "more bytes than the file has": [
      zipBytes([member({ packedSize: 1e6 })]),
      /x\.zip: a reaches into the zip directory/,
    ],
    "what does not inflate": [
      zipBytes([member({ method: 8, content: Uint8Array.of(255, 255, 255) })]),
      /x\.zip: a: cannot be inflated/,
    ],
    "what inflates only in part": [
      zipBytes([member({ deflated: true, content: encode("content ".repeat(99)), packedSize: 5 })]),
      /x\.zip: a: cannot be inflated/,
    ],
  };
  for (const [name, [damaged, line]] of Object.entries(refused))
    it(`refuses ${name}`, async () => {
      expect(await fault(damaged)).to.match(/^bad-input x\.zip: /);
      expect(await fault(damaged)).to.match(line);
    });

  it("refuses a directory of more than 16 MiB", async () => {
    const names = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(60_000, "a"));
    const bytes = zipBytes(names.map((name) => member({ name, content: new Uint8Array(0) })));
    expect(await fault(bytes)).to.match(/x\.zip: the zip directory is too large .*got 18\d{6} bytes/);
  });

  it("refuses a bomb: by the size it tells, and by what comes out of it", async () => {
    const content = new Uint8Array(5e6);
    const honest = zipBytes([member({ content, deflated: true })]);
    expect(honest.length).to.be.below(100_000);
    expect(await fault(honest)).to.match(
      /^bad-input x\.zip: a: is larger than it may be \(expected at most 1048576 bytes, got 50/,
    );
    const lying = zipBytes([member({ content, deflated: true, size: 1000 })]);
    expect(await fault(lying)).to.match(/x\.zip: a: cannot be inflated/);
    const source = new WatchedSource(new MemorySource("x.zip", honest));
    const zip = await ZipReader.open(source);
    const before = source.bytesRead;
    expect((await zip.read(zip.entries.get("a")!, 5e6)).length).to.equal(5e6);
    expect(source.bytesRead).to.be.above(before);
    const after = source.bytesRead;
    await engineErrorOf(() => zip.read(zip.entries.get("a")!, 1000));
    expect(source.bytesRead).to.equal(after);
  });
});

describe("writeZip", () => {
  const files = new Map([
    ["a.npy", encode("one")],
    ["é/b.npy", new Uint8Array(0)],
    ["c", new Uint8Array(100_000).fill(7)],
  ]);

  it("is read back as it was", async () => {
    const zip = await open(writeZip(files));
    expect([...zip.entries.keys()]).to.deep.equal([...files.keys()]);
    for (const entry of zip.entries.values()) {
      expect(entry.method).to.equal(0);
      expect(await zip.read(entry, 1 << 20)).to.deep.equal(files.get(entry.name));
    }
  });

  it("writes an archive without files", async () => {
    expect((await open(writeZip(new Map()))).entries.size).to.equal(0);
  });

  it("says that names are UTF-8, and dates everything 1980-01-01", () => {
    const view = new DataView(writeZip(files).buffer);
    expect([view.getUint16(6, true), view.getUint16(10, true), view.getUint16(12, true)]).to.deep.equal([
      0x800, 0, 0x21,
    ]);
    // Version 2.0 is needed, and wrote it; one disk holds all files.
    const directory = new DataView(view.buffer, view.getUint32(view.byteLength - 6, true));
    expect([view.getUint16(4, true), directory.getUint16(4, true), directory.getUint16(6, true)]).deep.equal([
      20, 20, 20,
    ]);
    expect(view.getUint16(view.byteLength - 14, true)).to.equal(3);
  });
});

describe("crc32", () => {
  it("agrees with the check value of the standard", () => {
    expect(crc32(encode("123456789"))).to.equal(0xcbf43926);
    expect(crc32(new Uint8Array(0))).to.equal(0);
    expect(crc32(new Uint8Array(32).fill(255))).to.equal(0xff6cab0b);
  });
});
