import { expect } from "chai";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readNpy } from "../../checkpoint/numpy/npy.ts";
import { MemorySource } from "../../checkpoint/sources/memory.ts";
import { bark, lines } from "../support/bark_command.ts";
import { safetensorsBytes } from "../support/files/safetensors_bytes.ts";

/** Of the embedded checkpoint, whose numbers these tests read. */
async function semanticConfig(): Promise<Record<string, number>> {
  const config = JSON.parse(await readFile("models/nano/config.json", "utf8")) as { semantic_config: never };
  return config.semantic_config;
}

/** How long a preset of the embedded checkpoint is, as `bark voices` says it. */
async function lengthOf(voice: string): Promise<string> {
  const name = `models/nano/speaker_embeddings/${voice}_coarse_prompt.npy`;
  const { shape } = await readNpy(new MemorySource(name, new Uint8Array(await readFile(name))));
  return `${(shape[1] / 75).toFixed(1)} s`;
}

describe("bark voices, inspect and doctor", () => {
  it("lists presets with language and length", async () => {
    const run = await bark(["voices"]);
    expect(run.code, run.stderr).equal(0);
    expect(lines(run.stdout)).deep.equal([
      `en_speaker_0  English       ${await lengthOf("en_speaker_0")}`,
      `en_speaker_1  English       ${await lengthOf("en_speaker_1")}`,
    ]);
  });

  it("lets a preset speak", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "bark-preview-"));
    const run = await bark(["voices", "--preview", "en_speaker_1", "-o", "me.wav"], { cwd: folder });
    expect(run.code, run.stderr).equal(0);
    expect(run.stdout).match(/^me\.wav: [1-9]\.\d s of speech/);
    expect((await stat(path.join(folder, "me.wav"))).size).above(24000 * 2);
    await rm(folder, { recursive: true });
  });

  it("refuses an unknown preset, and a file for a list", async () => {
    const unknown = await bark(["voices", "--preview", "xx_speaker_0"]);
    expect(unknown.code).equal(3);
    expect(unknown.stderr).match(/^bark: xx_speaker_0: no such voice/);
    const list = await bark(["voices", "-o", "list.wav"]);
    expect(list.code).equal(2);
    expect(list.stderr).match(/^bark: --output: a list is not written to a file; give --preview too\n$/);
  });

  it("shows a checkpoint", async () => {
    const run = await bark(["inspect", "models/nano"]);
    expect(run.code, run.stderr).equal(0);
    const nano = await semanticConfig();
    const { num_layers, num_heads, hidden_size } = nano;
    expect(run.stdout)
      .include(`semantic: ${num_layers} layers, ${num_heads} heads, hidden ${hidden_size}, block ${nano.block_size}`)
      .and.include("voices: 2 presets");
    expect(run.stdout).include("24000 Hz, 8 codebooks of 1024, hop length 320");
  });

  it("shows the tensors of a safetensors file and the array of a .npy", async () => {
    const weights = await bark(["inspect", "models/nano/model.safetensors"]);
    const nano = await semanticConfig();
    const shape = `[${nano.output_vocab_size}, ${nano.hidden_size}]`;
    expect(lines(weights.stdout)).include(`semantic.lm_head.weight  F16  ${shape}`);
    const prompt = await bark(["inspect", "models/nano/speaker_embeddings/en_speaker_0_fine_prompt.npy"]);
    expect(prompt.stdout).match(/^int64 {2}\[8, \d+\] {2}from \d+ to \d+\n$/);
  });

  it("shows an .npz", async () => {
    const run = await bark(["inspect", "spec/fixtures/voices/suno.npz"]);
    expect(
      lines(run.stdout)
        .map((line) => line.split(" ")[0])
        .sort(),
    ).deep.equal(["coarse_prompt", "fine_prompt", "semantic_prompt"]);
  });

  it("checks every kernel on the software adapter", async () => {
    const run = await bark(["doctor"]);
    expect(run.code, run.stdout + run.stderr).equal(0);
    expect(run.stdout)
      .match(/adapters: [1-9]/)
      .and.match(/`bark say` takes (SwiftShader|llvmpipe).*\(software\)/);
    expect(run.stdout)
      .match(/all \d+ agree/)
      .and.match(/Vulkan driver/);
    expect(run.stdout).not.include("FAILED");
  });

  it("prints no escape sequences out of names in a file", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "bark-escapes-"));
    const header = {
      "a\u001b[31m": { dtype: "F32", shape: [0], data_offsets: [0, 0] },
      __metadata__: { "b\u009b": "\u001b]0;x\u0007" },
    };
    await writeFile(path.join(folder, "x.safetensors"), safetensorsBytes(header, 0));
    const run = await bark(["inspect", "x.safetensors"], { cwd: folder });
    expect(lines(run.stdout)).deep.equal(["metadata b :  ]0;x ", "a [31m  F32  [0]", "1 tensors, 0.00 M F32"]);
    await rm(folder, { recursive: true });
  });

  it("shows its version", async () => {
    for (const flag of ["--version", "-v", "version"]) expect((await bark([flag])).stdout).match(/^\d+\.\d+\.\d+\n$/);
  });

  for (const command of ["say", "voices", "inspect", "doctor"])
    it(`${command} --help shows its flags and runs nothing`, async () => {
      const run = await bark([command, "--help"]);
      expect(run.code).equal(0);
      expect(run.stdout.startsWith(`bark ${command} `)).true;
      expect(run.stderr).equal("");
    });
});
