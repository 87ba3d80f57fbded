import { expect } from "chai";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { encode_wav, write_wav } from "../../audio/wav.ts";
import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import "../../checkpoint/node/index.ts";
import { getFileHost, setFileHost } from "../../checkpoint/host.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const ascii = (text: string): string => hex(new TextEncoder().encode(text));

describe("encode_wav", () => {
  it("writes 16-bit PCM byte by byte", () => {
    const header = [
      ...[ascii("RIFF"), "2e000000", ascii("WAVEfmt "), "10000000", "0100", "0100"],
      ...["c05d0000", "80bb0000", "0200", "1000", ascii("data"), "0a000000"],
    ];
    const bytes = encode_wav(24000, [0, 1, -1, 0.5, 1 / 32767]);
    expect(hex(bytes)).to.equal([...header, "0000", "ff7f", "0180", "0040", "0100"].join(""));
  });

  it("clamps PCM", () => {
    const bytes = encode_wav(24000, Float32Array.of(2.9, -7, 0, 1e38, -1e38));
    expect(hex(bytes.subarray(44))).to.equal("ff7f01800000ff7f0180");
  });

  it("takes one signal in whatever array", () => {
    const expected = hex(encode_wav(24000, Float32Array.of(0, 1)));
    for (const signal of [
      new NdArray(Float32Array.of(0, 1), [1, 2]),
      { data: Float32Array.of(0, 1), dims: [1, 1, 2] },
      [[0, 1]],
      [0n, 1n],
      Int8Array.of(0, 1),
    ])
      expect(hex(encode_wav(24000, signal))).to.equal(expected);
  });

  it("writes float32 with an 18-byte fmt and a fact chunk, unclipped", () => {
    const header = [
      ...[ascii("RIFF"), "3a000000", ascii("WAVEfmt "), "12000000", "0300", "0100"],
      ...["803e0000", "00fa0000", "0400", "2000", "0000", ascii("fact"), "04000000", "02000000"],
      ...[ascii("data"), "08000000"],
    ];
    const bytes = encode_wav(16000, Float32Array.of(2.5, -0.5), { format: "float32" });
    expect(hex(bytes)).to.equal([...header, "00002040", "000000bf"].join(""));
  });

  it("counts frames and blocks of several channels", () => {
    const view = new DataView(encode_wav(8000, [0, 0, 0, 0, 0, 0], { channels: 2, format: "float32" }).buffer);
    expect([view.getUint16(22, true), view.getUint32(28, true), view.getUint16(32, true)]).to.deep.equal([2, 64000, 8]);
    expect(view.getUint32(46, true)).to.equal(3);
  });

  it("writes a file without samples", () => {
    expect(encode_wav(24000, []).length).to.equal(44);
  });

  it("refuses wrong arguments", () => {
    expect(() => encode_wav(0, [0]))
      .to.throw(EngineError)
      .with.property("where", "sample_rate");
    expect(() => encode_wav(24000, "x" as never))
      .to.throw(EngineError)
      .with.property("where", "samples");
    expect(() => encode_wav(24000, [0, 0, 0], { channels: 2 }))
      .to.throw(EngineError)
      .with.property("where", "samples");
  });
});

describe("write_wav", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-wav-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const fault = async (work: Promise<void>): Promise<EngineError> =>
    await work.then(
      () => expect.fail("no error"),
      (error: unknown) => error as EngineError,
    );

  it("writes an array of one signal and replaces what was there", async () => {
    const file = path.join(folder, "a.wav");
    writeFileSync(file, "old");
    await write_wav(file, 24000, new NdArray(Float32Array.of(0, 1), [1, 2]));
    expect(hex(readFileSync(file))).to.equal(hex(encode_wav(24000, [0, 1])));
    expect(readdirSync(folder)).to.deep.equal(["a.wav"]);
  });

  it("says that the folder is missing and leaves nothing behind", async () => {
    const file = path.join(folder, "missing", "a.wav");
    const error = await fault(write_wav(file, 24000, [0]));
    expect([error.code, error.where, error.problem]).to.deep.equal(["io", file, "the folder does not exist"]);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("leaves no temporary file when the path is a folder", async () => {
    expect((await fault(write_wav(folder, 24000, [0]))).code).to.equal("io");
    expect(readdirSync(path.dirname(folder)).filter((name) => name.includes(path.basename(folder)))).to.have.length(1);
  });

  it("refuses a batch", async () => {
    const error = await fault(write_wav(path.join(folder, "a.wav"), 24000, new NdArray(new Float32Array(4), [2, 2])));
    expect([error.code, error.where, error.actual]).to.deep.equal(["usage", "samples", "[2, 2]"]);
    expect((await fault(write_wav("", 24000, [0]))).where).to.equal("path");
  });

  it("points to encode_wav where files cannot be written", async () => {
    const host = getFileHost();
    setFileHost(Object.fromEntries(Object.entries(host).filter(([name]) => name !== "writeFile")) as never);
    try {
      const error = await fault(write_wav("a.wav", 24000, [0]));
      expect([error.code, error.where]).to.deep.equal(["usage", "a.wav"]);
      expect(error.fix).to.match(/encode_wav/);
    } finally {
      setFileHost(host);
    }
  });
});
