import { expect } from "chai";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { encode_wav } from "../../audio/wav.ts";
import { decode_wav } from "../../audio/wav_reader.ts";
import { readNpy, writeNpyInt64 } from "../../checkpoint/numpy/npy.ts";
import { writeNpz } from "../../checkpoint/numpy/npz.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { MemorySource } from "../../checkpoint/sources/memory.ts";
import { bark, lines } from "../support/bark_command.ts";
import { readNpz } from "../support/files/npz.ts";
import { readFixture, readFixtureJson } from "../support/runtime.ts";

interface NanoRun {
  audio: string;
  first: number;
  samples: number;
  /** [codebooks][frames] */
  codes: number[][];
}

describe("bark codec", () => {
  let folder: string;
  let run: NanoRun;
  const file = (name: string): string => path.join(folder, name);
  const source = async (name: string): Promise<MemorySource> =>
    new MemorySource(name, new Uint8Array(await readFile(file(name))));

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bark-codec-"));
    ({ nano: run } = await readFixtureJson<{ nano: NanoRun }>("encoder/cases.json"));
    const audio = new Float32Array((await readFixture(run.audio)).buffer).subarray(run.first, run.first + run.samples);
    const wav = encode_wav(24000, audio, { format: "float32" });
    const silence = encode_wav(24000, new Float32Array(100));
    const codes = (values: number[], shape: number[]): Uint8Array =>
      writeNpyInt64(new NdArray(Int32Array.from(values), shape));
    const files: Record<string, Uint8Array> = {
      "in.wav": wav,
      "text.wav": new TextEncoder().encode("not audio"),
      "cut.wav": wav.subarray(0, 5000),
      "empty.wav": encode_wav(24000, []),
      "nan.wav": Buffer.concat([
        encode_wav(24000, [0, 0], { format: "float32" }).subarray(0, -4),
        Uint8Array.of(0, 0, 0xc0, 0x7f),
      ]),
      "silence.wav": silence,
      "high.npy": codes([0, 1024], [2, 1]),
      "flat.npy": codes([1, 2], [2]),
      "none.npy": codes([], [8, 0]),
      "many.npy": codes(new Array<number>(9).fill(0), [9, 1]),
      "words.npy": new TextEncoder().encode("not numpy"),
      "other.npz": writeNpz({ tokens: new NdArray(Int32Array.of(1), [1, 1]) }),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(file(name), bytes);
  });
  after(() => rm(folder, { recursive: true }));

  it("encodes a WAV file to transformers' codes", async () => {
    const done = await bark(["codec", "encode", "in.wav", "codes.npz"], { cwd: folder });
    expect(done.code, done.stderr).equal(0);
    expect(done.stdout).equal("codes.npz: 8 codebooks, 10 frames\n");
    expect(done.stderr).match(/encoder of nano learned nano's two voices alone/);
    expect((await readNpz(await source("codes.npz"))).get("codes")!.tolist()).deep.equal(run.codes);
  });

  it("writes .npy too, quietly", async () => {
    const done = await bark(["codec", "encode", "silence.wav", "codes.npy", "--quiet"], { cwd: folder });
    expect(done.code, done.stderr).equal(0);
    expect(done.stderr).equal("");
    expect((await readNpy(await source("codes.npy"))).shape).deep.equal([8, 1]);
  });

  it("encodes what there is of a WAV file that was cut, and says so", async () => {
    const done = await bark(["codec", "encode", "cut.wav", "cut.npz"], { cwd: folder });
    expect(done.code, done.stderr).equal(0);
    expect(lines(done.stderr).filter((line) => line.startsWith("bark: cut.wav: "))).have.length(1);
  });

  it("decodes codes to audio, and the fine prompt of a voice", async () => {
    await writeFile(file("some.npy"), writeNpyInt64(new NdArray(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3])));
    const done = await bark(["codec", "decode", "some.npy", "a.wav", "--format", "float32"], { cwd: folder });
    expect(done.code, done.stderr).equal(0);
    expect(done.stdout).equal("a.wav: 0.04 s\n");
    expect(done.stderr).not.match(/encoder/);
    expect(decode_wav(await readFile(file("a.wav"))).audio.shape).deep.equal([1, 960]);
    const voice = { fine_prompt: new NdArray(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]) };
    await writeFile(file("voice.npz"), writeNpz(voice));
    expect((await bark(["codec", "decode", "voice.npz", "b.wav", "--format=float32"], { cwd: folder })).code).equal(0);
    expect(await readFile(file("b.wav"))).deep.equal(await readFile(file("a.wav")));
  });

  it("--voice writes coarse and fine prompts, which `say` does not take as a whole voice", async () => {
    const done = await bark(["codec", "encode", "in.wav", "half.npz", "--voice"], { cwd: folder });
    expect(done.code, done.stderr).equal(0);
    expect(done.stderr).match(/half\.npz has no semantic_prompt: that needs another model/);
    const arrays = await readNpz(await source("half.npz"));
    expect([...arrays.keys()]).deep.equal(["coarse_prompt", "fine_prompt"]);
    expect(arrays.get("fine_prompt")!.tolist()).deep.equal(run.codes);
    expect(arrays.get("coarse_prompt")!.tolist()).deep.equal(run.codes.slice(0, 2));
    const said = await bark(["say", "hi", "-v", "half.npz"], { cwd: folder });
    expect(said.code).equal(3);
    expect(said.stderr).match(/half\.npz: .*missing semantic_prompt/);
  });

  it("--semantic-from makes a whole voice, as long as the shorter of the two", async () => {
    const args = ["codec", "encode", "in.wav", "whole.npz", "--semantic-from", "en_speaker_1", "--quiet"];
    const done = await bark(args, { cwd: folder });
    expect(done.code, done.stderr).equal(0);
    const arrays = await readNpz(await source("whole.npz"));
    // 10 frames at 75 Hz are 3 tokens at 25 Hz, which are 9 frames.
    expect(arrays.get("semantic_prompt")!.shape).deep.equal([3]);
    expect(arrays.get("coarse_prompt")!.shape).deep.equal([2, 9]);
    expect(arrays.get("fine_prompt")!.shape).deep.equal([8, 9]);
  });

  const refusals: readonly [name: string, code: number, args: readonly string[], says: RegExp][] = [
    ["no direction", 2, [], /codec: no direction given/],
    ["another direction", 2, ["sing"], /codec sing: no such direction/],
    ["an ending of another file", 2, ["encode", "in.wav", "x.txt"], /x\.txt: .*\.npz or \.npy/],
    ["a voice as .npy", 2, ["encode", "in.wav", "x.npy", "--voice"], /x\.npy: .*\.npz/],
    ["a voice as WAV", 2, ["decode", "some.npy", "x.npz"], /x\.npz: .*expected \.wav, got \.npz.*name it x\.wav/],
    ["a folder that is not there", 2, ["decode", "some.npy", "gone/x.wav"], /gone\/x\.wav: the folder does not exist/],
    ["a bandwidth that the codec has not", 2, ["encode", "in.wav", "x.npz", "--bandwidth", "3"], /one of 6, got 3/],
    ["bandwidth and voice", 2, ["encode", "in.wav", "x.npz", "--voice", "--bandwidth", "6"], /leave out --bandwidth/],
    ["no such file", 3, ["encode", "gone.wav", "x.npz"], /gone\.wav: no such file/],
    ["a file that is no WAV file", 3, ["encode", "text.wav", "x.npz"], /text\.wav: is not a WAV file/],
    ["no samples", 3, ["encode", "empty.wav", "x.npz"], /empty\.wav: holds no samples/],
    ["a sample that is not a number", 3, ["encode", "nan.wav", "x.npz"], /nan\.wav: .*NaN at sample 1/],
    ["an unknown voice", 3, ["encode", "in.wav", "x.npz", "--semantic-from", "bob"], /bob: no such voice/],
    ["codes out of range", 3, ["decode", "high.npy", "x.wav"], /high\.npy: .*1024 in codebook 1, frame 0/],
    ["codes of one axis", 3, ["decode", "flat.npy", "x.wav"], /flat\.npy: has another shape/],
    ["no codes", 3, ["decode", "none.npy", "x.wav"], /none\.npy: has another shape/],
    ["too many codebooks", 3, ["decode", "many.npy", "x.wav"], /many\.npy: has another shape.*1 to 8/],
    ["no array", 3, ["decode", "words.npy", "x.wav"], /words\.npy: is not a \.npy array/],
    ["other arrays", 3, ["decode", "other.npz", "x.wav"], /other\.npz: holds no codes.*tokens/],
  ];
  for (const [name, code, args, says] of refusals)
    it(`exit ${code}: ${name}`, async () => {
      const before = await readdir(folder);
      const done = await bark(["codec", ...args, ...(args.length > 1 ? ["--quiet"] : [])], { cwd: folder });
      expect(done.code, done.stderr).equal(code);
      expect(lines(done.stderr)).have.length(1);
      expect(done.stderr).match(says);
      expect(await readdir(folder)).deep.equal(before);
    });
});
