import { decode_wav } from "../../audio/wav_reader.ts";
import { expect } from "chai";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { MemorySource } from "../../checkpoint/sources/memory.ts";
import { bark, lines } from "../support/bark_command.ts";
import { readNpz } from "../support/files/npz.ts";

const few = ["--max-semantic-tokens", "4"];
/** A checkpoint that speaks in half the time of the default. */
const small = path.resolve("spec/fixtures/torch/suno");

describe("bark say", () => {
  let folder: string;
  /** GPU bytes of the first run, all sub-models at once in f32. */
  let wholePeak: number;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bark-cli-"));
  });
  after(() => rm(folder, { recursive: true }));
  const inFolder = (name: string): string => path.join(folder, name);

  it("writes a WAV and tells in a line of JSON what it did", async () => {
    const files = ["-o", "a.wav", "--save-voice", "a.npz", "--format", "float32"];
    const run = await bark(["say", "Hello,", "dog.", "--greedy", "--dtype", "f32", "--json", ...few, ...files], {
      cwd: folder,
    });
    expect(run.code, run.stderr).equal(0);
    expect(run.stderr)
      .match(/^semantic: .*tokens/m)
      .and.match(/^codec: .*frames/m);
    expect(lines(run.stdout)).have.length(1);
    const result = JSON.parse(run.stdout) as Record<string, unknown>;
    const { samples, tokens, milliseconds } = result as {
      samples: number;
      tokens: Record<string, number>;
      milliseconds: Record<string, number>;
    };
    expect(result).include({ output: "a.wav", sample_rate: 24000, dtype: "f32", seconds: samples / 24000 });
    expect(result["adapter"]).a("string");
    expect(result["seed"]).a("number");
    wholePeak = result["peak_gpu_bytes"] as number;
    // Four bytes a weight; the encoder and the table of words stay off the GPU.
    expect(wholePeak).above(4 * 9e6);
    expect(milliseconds).keys("load", "semantic", "coarse", "fine", "codec", "total");

    const wav = await readFile(inFolder("a.wav"));
    expect(decode_wav(wav).audio.shape).deep.equal([1, samples]);
    expect(wav.toString("latin1"), "how it was made").match(/LIST.*INFOINAM.*"seed":\d+,"checkpoint":.*bark-webgpu /s);
    expect(wav.readUInt16LE(20), "IEEE float").equal(3);
    const voice = await readNpz(new MemorySource("a.npz", new Uint8Array(await readFile(inFolder("a.npz")))));
    expect([...voice.keys()]).deep.equal(["semantic_prompt", "coarse_prompt", "fine_prompt"]);
    const npz = await readFile(inFolder("a.npz"), "latin1");
    expect(npz.match(/'descr': '<i8', 'fortran_order': False/g), "as suno's: int64").have.length(3);
    const frames = samples / 320;
    expect(voice.get("semantic_prompt")?.shape).deep.equal([tokens["semantic"]]);
    expect(voice.get("coarse_prompt")?.shape).deep.equal([2, frames]);
    expect(voice.get("fine_prompt")?.shape).deep.equal([8, frames]);
    expect(tokens).deep.equal({ semantic: 4, coarse: 2 * frames, fine: 8 * frames });
  });

  it("speaks with a saved voice, reads standard input, and says where the WAV is", async () => {
    const args = ["say", "-v", "a.npz", "-o", "b.wav", "--quiet", "--seed", "5", ...few];
    const run = await bark(args, { cwd: folder, input: "Hello again.\n" });
    expect(run.code, run.stderr).equal(0);
    expect(run.stderr).equal("");
    expect(run.stdout).match(/^b\.wav: \d\.\d s of speech in .*\non .*, weights f16, seed 5\n$/);
    const wav = await readFile(inFolder("b.wav"));
    expect(wav.readUInt16LE(20), "PCM").equal(1);
  });

  it("speaks with one sub-model on the GPU at a time, in any format of weights", async () => {
    const sizes: Record<string, number> = {};
    for (const flags of [
      ["--dtype", "f32", "--low-memory"],
      ["--dtype", "q8", "--low-memory"],
    ]) {
      const args = ["say", "Hello.", "-o", "c.wav", "--greedy", "--json", "--quiet", ...few, ...flags];
      const run = await bark(args, { cwd: folder });
      expect(run.code, run.stderr).equal(0);
      const result = JSON.parse(run.stdout) as { dtype: string; peak_gpu_bytes: number };
      expect(result.dtype).equal(flags[1]);
      sizes[flags.slice(1).join(" ")] = result.peak_gpu_bytes;
    }
    expect(sizes["f32 --low-memory"]).below(0.6 * wholePeak);
    expect(sizes["q8 --low-memory"]).below(sizes["f32 --low-memory"]);
  });

  it("gives the same audio for the same seed and another for another", async () => {
    const speak = async (output: string, seed: string): Promise<Buffer> => {
      const hot = ["--temperature", "1.5", "--top-k", "200", "--quiet", ...few];
      const run = await bark(["say", "hello", "-m", small, "-o", output, "--seed", seed, ...hot], { cwd: folder });
      expect(run.code, run.stderr).equal(0);
      return await readFile(inFolder(output));
    };
    const first = await speak("s1.wav", "1");
    expect((await speak("s2.wav", "1")).equals(first)).true;
    expect((await speak("s3.wav", "2")).equals(first)).false;
  });

  it("cuts a text that is too long and says where", async () => {
    const text = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");
    const run = await bark(["say", text, "-o", "cut.wav", "--split", "none", ...few], { cwd: folder });
    expect(run.code, run.stderr).equal(0);
    const told = lines(run.stderr).filter((line) => line.includes("left out"));
    expect(told, "once").have.length(1);
    expect(told[0]).match(/^bark: the text has \d+ tokens, of which 64 are kept: it ends after ".*"; left out: "/);
  });

  it("speaks a text of several pieces, with captions of what is heard when", async () => {
    const files = ["-o", "two.wav", "--srt", "two.srt", "--vtt", "two.vtt", "--captions", "two.json"];
    const text = "The dog is here.\n\nThe cat <is> there.";
    const run = await bark(["say", text, "-v", "en_speaker_0", "--retries", "0", ...files, "--json", ...few], {
      cwd: folder,
    });
    expect(run.code, run.stderr).equal(0);
    const { pieces, seconds } = JSON.parse(run.stdout) as {
      pieces: { text: string; source: [number, number]; start: number; end: number }[];
      seconds: number;
    };
    expect(pieces.map(({ source }) => text.slice(...source))).deep.equal(["The dog is here.", "The cat <is> there."]);
    expect(pieces[1].start - pieces[0].end).closeTo(0.6, 1e-4);
    expect(pieces[1].end).closeTo(seconds, 1e-4);
    expect(await readFile(inFolder("two.srt"), "utf8")).match(/^1\n00:00:00,000 --> .*\nThe dog is here\.\n\n2\n/);
    expect(await readFile(inFolder("two.vtt"), "utf8")).match(/^WEBVTT\n[^]*The cat &lt;is&gt; there\./);
    expect(JSON.parse(await readFile(inFolder("two.json"), "utf8"))).length(2);
    const same = await bark(["say", text, "-o", "two.wav", "--srt", "two.wav"], { cwd: folder });
    expect([same.code, lines(same.stderr)]).deep.equal([
      2,
      ["bark: --srt two.wav: does not have the ending of its format (expected .srt, got .wav); name it two.srt"],
    ]);
  });

  it("stops at Ctrl-C with 130, leaves the old file and no other", async () => {
    const before = await readdir(folder);
    const old = await stat(inFolder("a.wav"));
    const run = await bark(["say", "This takes a while, so there is time to stop it.", "-o", "a.wav"], {
      cwd: folder,
      onStart: (child) => {
        const interrupt = (chunk: Buffer): void => {
          if (!chunk.toString().includes("semantic:")) return;
          // Twice: tsx passes on what the terminal sent already.
          child.kill("SIGINT");
          setTimeout(() => child.kill("SIGINT"), 30);
        };
        child.stderr!.on("data", interrupt);
      },
    });
    expect(run.code).equal(130);
    expect(lines(run.stderr).at(-1)).equal("bark: interrupted; nothing was written");
    expect(await readdir(folder)).deep.equal(before);
    expect((await stat(inFolder("a.wav"))).mtimeMs).equal(old.mtimeMs);
  });
});
