import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fineInput, fineOutput, planFine } from "../../../bark/generate/fine_plan.ts";
import { BarkGenerationConfig } from "../../../bark/config/generation_config.ts";
import { validateVoice, VoicePresets, voicePromptFromRun, type VoicePreset } from "../../../bark/voice/voices.ts";
import { writeNpyInt64 } from "../../../checkpoint/numpy/npy.ts";
import { writeNpz } from "../../../checkpoint/numpy/npz.ts";
import type { EngineError } from "../../../engine/errors.ts";
import type { FileStore } from "../../../checkpoint/stores/file_store.ts";
import type { JsonObject } from "../../../engine/check/json_fields.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import { DirectoryStore } from "../../../checkpoint/node/directory_store.ts";
import "../../../checkpoint/node/index.ts";
import { getFileHost, setFileHost } from "../../../checkpoint/host.ts";
import { storeOf } from "../../support/files/memory_files.ts";
import { refusedArrays } from "../../support/files/numpy_fixture.ts";
import { zipBytes, type ZipMember } from "../../support/files/zip_bytes.ts";

const array = (values: number[], shape: number[]) => new NdArray(Int32Array.from(values), shape);
const voice = {
  semantic_prompt: array([3, 1, 2], [3]),
  coarse_prompt: array([10, 11, 12, 20, 21, 22], [2, 3]),
  fine_prompt: array([10, 11, 12, 20, 21, 22, 30, 31, 32], [3, 3]),
};

async function fault(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "no error",
    (error: EngineError) => `${error.code} ${error.toLine()}`,
  );
}

describe("VoicePresets", () => {
  const files = (changes: Record<string, unknown> = {}): Record<string, string | Uint8Array> => ({
    "speaker_embeddings_path.json": JSON.stringify({
      repo_or_path: "suno/bark",
      "v2/en_speaker_6": {
        semantic_prompt: "speaker_embeddings/v2/s.npy",
        coarse_prompt: "speaker_embeddings/v2/c.npy",
        fine_prompt: "speaker_embeddings/v2/f.npy",
        ...changes,
      },
    }),
    "speaker_embeddings/v2/s.npy": writeNpyInt64(voice.semantic_prompt),
    "speaker_embeddings/v2/c.npy": writeNpyInt64(voice.coarse_prompt),
    "speaker_embeddings/v2/f.npy": writeNpyInt64(voice.fine_prompt),
  });
  const presets = async (contents = files()) => await VoicePresets.from_pretrained(storeOf(contents));

  it("lists the names of the index without repo_or_path", async () => {
    expect((await presets()).names).to.deep.equal(["v2/en_speaker_6"]);
    expect((await presets({})).names).to.deep.equal([]);
  });

  it("loads a preset by name", async () => {
    expect(await (await presets()).load("v2/en_speaker_6")).to.deep.equal(voice);
  });

  it("reads the voices of the embedded checkpoint", async () => {
    const nano = await VoicePresets.from_pretrained(new DirectoryStore("models/nano"));
    expect(nano.names).to.deep.equal(["en_speaker_0", "en_speaker_1"]);
    const { semantic_prompt, coarse_prompt, fine_prompt } = await nano.load("en_speaker_0");
    expect(Array.from(semantic_prompt.data.subarray(0, 4))).to.deep.equal([3, 2, 1, 372]);
    expect([coarse_prompt.shape[0], fine_prompt.shape]).to.deep.equal([2, [8, coarse_prompt.shape[1]]]);
    // Values as numpy reads them: first row, last column; second row, first column.
    expect([coarse_prompt.row(0).data.at(-1), coarse_prompt.row(1).data[0]]).to.deep.equal([318, 960]);
    expect([fine_prompt.row(7).data[0], fine_prompt.row(7).data.at(-1)]).to.deep.equal([627, 627]);
  });

  it("loads a file by path, with or without its ending, and bytes", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bark-voice-"));
    try {
      writeFileSync(path.join(folder, "me.npz"), writeNpz(voice));
      const none = await presets({});
      writeFileSync(path.join(folder, "YOU.NPZ"), writeNpz(voice));
      for (const name of ["me.npz", "me", "YOU.NPZ"])
        expect(await none.load(path.join(folder, name)), name).to.deep.equal(voice);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(await (await presets({})).load(writeNpz(voice))).to.deep.equal(voice);
    expect(await (await presets({})).load(writeNpz(voice).buffer)).to.deep.equal(voice);
  });

  it("reads an index that was made on Windows", async () => {
    const paths = (prompt: string): JsonObject => ({ [prompt]: `speaker_embeddings\\v2\\${prompt[0]}.npy` });
    const windows = files(Object.assign({}, ...Object.keys(voice).map(paths)) as JsonObject);
    expect(await (await presets(windows)).load("v2/en_speaker_6")).to.deep.equal(voice);
  });

  it("decodes the three prompts of a file alone, whatever else it holds", async () => {
    const prompts = Object.entries(voice).map(([name, prompt]) => ({
      name: `${name}.npy`,
      content: writeNpyInt64(prompt),
    }));
    const others: ZipMember[] = [
      ...Object.entries(refusedArrays).map(([name, content]) => ({ name: `${name}.npy`, content })),
      { name: "__MACOSX/._semantic_prompt.npy", content: Uint8Array.of(0, 5, 22, 7) },
      { name: "read.me", content: new Uint8Array(3) },
      { name: "large.npy", content: new Uint8Array(33 * 2 ** 20), deflated: true },
      { name: "false.npy", content: new Uint8Array(9), crc: 1 },
      { name: "packed.npy", content: new Uint8Array(9), method: 99 },
      { name: "secret.npy", content: new Uint8Array(9), flags: 1 },
    ];
    const bytes = zipBytes([...others.slice(0, 5), ...prompts, ...others.slice(5)]);
    expect(await (await presets({})).load(bytes)).to.deep.equal(voice);
    const broken = zipBytes([
      ...prompts.slice(1),
      { name: "semantic_prompt.npy", content: refusedArrays["beyond 32 bits"] },
    ]);
    expect(await fault((await presets({})).load(broken))).to.match(
      /^bad-input voice preset: semantic_prompt\.npy: holds an integer beyond 32 bits/,
    );
  });

  it("opens and fetches nothing for a voice that must be a preset's name", async () => {
    const opened: string[] = [];
    const host = getFileHost();
    setFileHost({ ...host, openStore: (location) => (opened.push(location), host.openStore(location)) });
    try {
      const store = storeOf(files());
      const strict = await VoicePresets.from_pretrained(store, undefined, { names_only: true });
      const lax = await presets();
      for (const name of [
        "http://127.0.0.1:9/x",
        "/etc/hosts",
        "me.npz",
        "constructor",
        "__proto__",
        "repo_or_path",
        "",
      ])
        for (const work of [
          strict.load(name),
          strict.load(name, { names_only: false, allow_urls: true }),
          lax.load(name, { names_only: true }),
        ])
          expect(await fault(work), name).to.match(
            /^bad-input .*no such voice \(expected v2\/en_speaker_6, got no preset\)/,
          );
      expect(await strict.load("v2/en_speaker_6")).to.deep.equal(voice);
      expect(opened).to.deep.equal([]);
    } finally {
      setFileHost(host);
    }
  });

  it("fetches no voice from an address unless that is asked for", async () => {
    const opened: string[] = [];
    const host = getFileHost();
    const openStore = (location: string): Promise<FileStore> => {
      opened.push(location);
      return Promise.resolve(storeOf({ "x.npz": writeNpz(voice) }));
    };
    const all = await presets();
    try {
      setFileHost({ ...host, openStore });
      for (const url of [
        "http://h/x.npz",
        "HTTPS://h/x",
        "file:///x.npz",
        "data:,x",
        "blob:http://h/1",
        "ftp://h/x.npz",
      ])
        expect(await fault(all.load(url)), url).to.match(/^usage voice_preset: a voice is not fetched from an address/);
      setFileHost({ ...host, isPage: true, openStore });
      for (const path of ["x.npz", "/x.npz", "//h/x.npz"])
        expect(await fault(all.load(path)), path).to.match(/^usage voice_preset: a voice is not fetched/);
      expect(await fault(all.load("en_speaker_x"))).to.match(
        /^bad-input en_speaker_x: no such voice .*got no preset\)/,
      );
      expect(opened).to.deep.equal([]);
      expect(await all.load("http://h/x", { allow_urls: true })).to.deep.equal(voice);
      expect(opened).to.deep.equal(["http://h/"]);
    } finally {
      setFileHost(host);
    }
  });

  it("takes a dictionary of arrays", async () => {
    const floats = { ...voice, semantic_prompt: new NdArray(Float64Array.of(3, 1, 2), [3]) };
    expect(await (await presets()).load(floats)).to.deep.equal(voice);
  });

  it("says which voices there are when it does not know one", async () => {
    expect(await fault((await presets()).load("nobody"))).to.equal(
      "bad-input nobody: no such voice (expected v2/en_speaker_6, or the path of an .npz, got no preset and no file nobody.npz); `bark voices` lists the presets",
    );
    expect(await fault((await presets()).load("/nowhere/at/all.npz"))).to.match(
      /^bad-input \/nowhere\/at\/all.npz: no such voice/,
    );
    expect(await fault((await presets()).load("owner/name@main/x"))).to.match(/^bad-input owner.*no such voice/);
    expect(await fault((await presets()).load("repo_or_path"))).to.match(/no such voice/);
  });

  it("refuses paths that leave the checkpoint", async () => {
    for (const outside of ["../x.npy", "a/../../x.npy", "/etc/x.npy", "C:\\x.npy", "..\\x.npy", "file:///x.npy"])
      expect(
        await fault((await presets(files({ coarse_prompt: outside }))).load("v2/en_speaker_6")),
        outside,
      ).to.contain(`Invalid voice preset path: '${outside}'`);
    const inside = files({ coarse_prompt: "./speaker_embeddings/../speaker_embeddings/v2/c.npy" });
    expect(await fault((await presets(inside)).load("v2/en_speaker_6"))).to.contain("does not exist");
  });

  it("names what an index entry lacks", async () => {
    expect(await fault((await presets(files({ fine_prompt: undefined }))).load("v2/en_speaker_6"))).to.contain(
      'missing fine_prompt as a key of "v2/en_speaker_6"',
    );
    expect(await fault((await presets(files({ fine_prompt: "gone.npy" }))).load("v2/en_speaker_6"))).to.match(
      /^bad-input memory\/gone.npy: fine_prompt of the voice preset "v2\/en_speaker_6" does not exist/,
    );
    expect(await fault(presets({ "speaker_embeddings_path.json": "[1]" }))).to.contain("is not a JSON object");
  });

  it("refuses what is not a voice, with transformers' messages", async () => {
    const all = await presets({});
    const { semantic_prompt, coarse_prompt, fine_prompt } = voice;
    expect(await fault(all.load({ semantic_prompt, fine_prompt }))).to.contain(
      "Voice preset unrecognized, missing coarse_prompt as a key.",
    );
    expect(await fault(all.load({ semantic_prompt, coarse_prompt: semantic_prompt, fine_prompt }))).to.contain(
      "coarse_prompt voice preset must be a 2D ndarray.",
    );
    expect(
      await fault(all.load({ semantic_prompt: [1, 2], coarse_prompt, fine_prompt } as unknown as VoicePreset)),
    ).to.contain("semantic_prompt voice preset must be a 1D ndarray.");
    expect(await fault(all.load(Uint8Array.of(1, 2, 3)))).to.match(/^bad-input voice preset: /);
    for (const odd of [null, undefined, 5, [1], Symbol("x")])
      expect(await fault(all.load(odd as unknown as VoicePreset))).to.match(/^bad-input voice preset: is not a voice/);
    const halves = new NdArray(Float64Array.of(0.5), [1]);
    expect(() => validateVoice({ semantic_prompt: halves, coarse_prompt, fine_prompt }, "v")).to.throw(
      "not a token id",
    );
    const negative = array([-1], [1]);
    expect(() => validateVoice({ semantic_prompt: negative, coarse_prompt, fine_prompt }, "v")).to.throw(
      "not a token id",
    );
  });
});

describe("voicePromptFromRun", () => {
  it("drops the end of speech and takes codebooks apart", () => {
    const numbers = { semantic_pad_token: 100, semantic_vocab_size: 100, n_coarse_codebooks: 2, codebook_size: 16 };
    const fine = array([1, 2, 3, 4, 5, 6], [3, 2]);
    // 140 is above the second codebook; transformers may answer it, and takes it for code 24 mod 16.
    const prompt = voicePromptFromRun([5, 6, 100, 100], [101, 117, 102, 140], fine, numbers);
    expect(prompt.semantic_prompt.tolist()).to.deep.equal([5, 6]);
    expect(prompt.coarse_prompt.tolist()).to.deep.equal([
      [1, 2],
      [1, 8],
    ]);
    expect(prompt.fine_prompt.tolist()).to.deep.equal([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect([prompt.semantic_prompt.dtype, prompt.fine_prompt.dtype]).to.deep.equal(["int32", "int32"]);
  });

  for (const [books, size] of [
    [2, 16],
    [3, 7],
    [1, 1024],
  ])
    it(`has the codes of the fine stage's first rows: ${books} codebooks of ${size}`, () => {
      const config = new BarkGenerationConfig({
        semantic_config: { semantic_vocab_size: 100 },
        coarse_acoustics_config: { n_coarse_codebooks: books },
        codebook_size: size,
      });
      const coarse = Array.from({ length: 60 * books }, (_, i) => 100 + ((i * 37) % (size * books + 31)));
      const plan = planFine(60, 0, config.fine_acoustics_config);
      const codes = fineOutput(plan, fineInput(plan, coarse, null, config), 8);
      const fine = new NdArray(codes, [8, 60]);
      const numbers = {
        semantic_pad_token: 99,
        semantic_vocab_size: 100,
        n_coarse_codebooks: books,
        codebook_size: size,
      };
      const prompt = voicePromptFromRun([5], coarse, fine, numbers);
      expect(prompt.coarse_prompt.tolist()).to.deep.equal((fine.tolist() as number[][]).slice(0, books));
      expect(Math.max(...prompt.coarse_prompt.data)).to.be.below(size);
    });
});
