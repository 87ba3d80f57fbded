import { expect } from "chai";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { decode_wav } from "../../audio/wav_reader.ts";
import { encode_wav } from "../../audio/wav.ts";
import { to_mono } from "../../audio/mono.ts";
import { RawAudio } from "../../audio/raw_audio.ts";
import "../../checkpoint/node/index.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { engineErrorOf } from "../support/rejection.ts";

describe("RawAudio", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bark-raw-"));
  });
  after(() => rm(folder, { recursive: true }));
  const stereo = new RawAudio(new NdArray(Float32Array.of(0, 0.5, -0.5, 1), [2, 2]), 8000);

  it("is samples and their rate, from whatever array", () => {
    for (const audio of [Float32Array.of(0, 1), [0, 1], new NdArray(Float32Array.of(0, 1), [1, 2])]) {
      const raw = new RawAudio(audio, 24_000);
      expect([[...raw.audio], raw.sampling_rate, raw.channels]).deep.equal([[0, 1], 24_000, 1]);
    }
    expect([stereo.channels, stereo.dims]).deep.equal([2, [2, 2]]);
  });

  it("makes a WAV file of its channels, as bytes, a Blob and a file", async () => {
    const wav = stereo.toWav({ format: "float32" });
    expect(decode_wav(new Uint8Array(wav))).deep.equal({ sample_rate: 8000, audio: stereo.toArray() });
    const blob = stereo.toBlob({ format: "float32" });
    expect(blob.type).equal("audio/wav");
    expect(await blob.arrayBuffer()).deep.equal(wav);
    await stereo.save(path.join(folder, "a.WAV"), { format: "float32" });
    expect(new Uint8Array(await readFile(path.join(folder, "a.WAV")))).deep.equal(new Uint8Array(wav));
    expect(new DataView(stereo.toWav()).byteLength).equal(44 + 8);
  });

  it("makes a file of the format that its name ends with, and a Blob of one that is named", async () => {
    const mono = new RawAudio(
      Float32Array.from({ length: 2400 }, (_, i) => Math.sin(i)),
      24_000,
    );
    for (const name of ["a.mp3", "a.opus", "a.flac", "a.m4a", "a.pcm"]) await mono.save(path.join(folder, name));
    const starts = (name: string) => readFile(path.join(folder, name)).then((bytes) => bytes.toString("latin1"));
    expect((await starts("a.mp3")).charCodeAt(0)).equal(0xff);
    expect((await starts("a.opus")).slice(0, 4)).equal("OggS");
    expect((await starts("a.flac")).slice(0, 4)).equal("fLaC");
    expect((await starts("a.m4a")).slice(4, 8)).equal("ftyp");
    expect(await starts("a.pcm")).have.length(4800);
    const blob = await mono.toBlob({ format: "mp3" });
    expect(blob.type).equal("audio/mpeg");
    expect(await blob.text()).equal(await new Blob([await mono.encode("mp3")]).text());
  });

  it("keeps the samples of a float32 WAV beside its tags", async () => {
    const file = path.join(folder, "tagged.wav");
    await stereo.save(file, { format: "float32", tags: { title: "Two" } });
    const bytes = await readFile(file);
    expect(decode_wav(bytes).audio).deep.equal(stereo.toArray());
    expect(bytes.toString("latin1")).include("INAM\x04\0\0\0Two\0");
  });

  it("is refused under a name that is no sound file's, and with what its format does not have; nothing is written", async () => {
    const before = await readdir(folder);
    const says = async (name: string, options = {}): Promise<string> =>
      (await engineErrorOf(() => stereo.save(path.join(folder, name), options))).problem;
    expect(await says("b")).match(/ending of a sound file/);
    expect(await says("b.ogv")).match(/ending of a sound file/);
    expect(await says("b.flac", { format: "float32" })).match(/is for the samples of a WAV/);
    expect(await says("b.wav", { bitrate: 64 })).match(/wrong value/);
    expect(await readdir(folder)).deep.equal(before);
  });

  it("is taken wherever sound is, at its own rate alone", async () => {
    const mono = new RawAudio([0, 0.5], 8000);
    expect(encode_wav(8000, mono)).deep.equal(encode_wav(8000, [0, 0.5]));
    const error = await engineErrorOf(async () => encode_wav(24_000, mono));
    expect([error.code, error.where, error.actual]).deep.equal(["usage", "samples", "8000 Hz"]);
    expect(await to_mono(stereo, 8000)).deep.equal(Float32Array.of(-0.25, 0.75));
    expect(await to_mono(mono, 16_000)).have.length(4);
  });

  it("holds no sample that is not finite, and a rate above 0", async () => {
    const where = async (...given: ConstructorParameters<typeof RawAudio>): Promise<unknown> =>
      (await engineErrorOf(async () => new RawAudio(...given))).where;
    expect(await where([NaN], 8000)).equal("audio");
    expect(await where([0], 0)).equal("sampling_rate");
  });
});
