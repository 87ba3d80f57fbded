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

  it("is refused under another name than .wav, and nothing is written", async () => {
    for (const name of ["b.mp3", "b"]) {
      const error = await engineErrorOf(() => stereo.save(path.join(folder, name)));
      expect([error.code, error.fix]).deep.equal(["usage", `name it ${path.join(folder, "b.wav")}`]);
    }
    expect(await readdir(folder)).deep.equal(["a.WAV"]);
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
