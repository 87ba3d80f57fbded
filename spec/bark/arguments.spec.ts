import { expect } from "chai";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  AutoConfig,
  BarkCoarseConfig,
  BarkCoarseModel,
  BarkConfig,
  BarkFineConfig,
  BarkFineModel,
  BarkGenerationConfig,
  BarkModel,
  BarkProcessor,
  BarkSemanticConfig,
  BarkSemanticModel,
  decode_wav,
  DynamicCache,
  encode_wav,
  EncodecModel,
  NdArray,
  openGpu,
  to_mono,
  voicePromptFromRun,
  write_wav,
} from "../../bark/node.ts";
import { EngineError } from "../../engine/errors.ts";
import { readGpuOptions } from "../../engine/check/gpu_arguments.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import { namedRows, testMisspelt, testRows, type ArgumentRow, type Odd } from "../support/argument_rows.ts";
import { engineErrorOf } from "../support/rejection.ts";

const none: readonly Odd[] = ["null"];
const callback: readonly Odd[] = ["null", "function"];
const name: readonly Odd[] = ["null", "text"];
const flag: readonly Odd[] = ["null", "boolean"];

describe("arguments of from_pretrained", () => {
  const checkpoint = {
    revision: name,
    cache_dir: name,
    local_files_only: flag,
    force_download: flag,
    subfolder: ["null", "text"],
    token: ["null", "text", "boolean"],
    endpoint: name,
    progress_callback: callback,
    onNotice: callback,
    signal: none,
  } satisfies Record<string, readonly Odd[]>;
  const model = {
    ...checkpoint,
    dtype: none,
    torch_dtype: none,
    gpu: none,
    device: name,
    on_progress: callback,
    recover: flag,
  };
  const classes: [
    string,
    { from_pretrained(source: MemoryStore, options: never): unknown },
    Record<string, readonly Odd[]>,
  ][] = [
    ["BarkModel", BarkModel, { ...model, low_memory: flag }],
    ["BarkSemanticModel", BarkSemanticModel, model],
    ["BarkCoarseModel", BarkCoarseModel, model],
    ["BarkFineModel", BarkFineModel, model],
    ["EncodecModel", EncodecModel, model],
    [
      "BarkProcessor",
      BarkProcessor,
      { ...checkpoint, names_only: flag, allow_urls: flag, speaker_embeddings_dict_path: name },
    ],
    ["AutoConfig", AutoConfig, checkpoint],
    ["BarkConfig", BarkConfig, checkpoint],
    ["BarkSemanticConfig", BarkSemanticConfig, checkpoint],
    ["BarkCoarseConfig", BarkCoarseConfig, checkpoint],
    ["BarkFineConfig", BarkFineConfig, checkpoint],
    ["BarkGenerationConfig", BarkGenerationConfig, checkpoint],
  ];

  for (const [call, Class, takes] of classes) {
    // With options that are right the checkpoint's turn comes, and it is empty.
    const give = async (options: object): Promise<void> => {
      try {
        await Class.from_pretrained(new MemoryStore(new Map(), "empty"), options as never);
      } catch (error) {
        if (!(error instanceof EngineError) || !/^empty(\/|$)/.test(error.where ?? "")) throw error;
      }
    };
    testRows(namedRows(call, give, takes));
    testMisspelt(call, Object.keys(takes), give);

    it(`${call}, names of transformers and transformers.js`, async () => {
      for (const [option, wrong, right] of [
        ["quantized", true, false],
        ["attn_implementation", "sdpa", "eager"],
        ["device_map", "cuda", null],
        ["use_safetensors", false, true],
        ["load_in_8bit", true, false],
      ] as const) {
        const error = await engineErrorOf(() => give({ [option]: wrong }));
        expect([error.code, error.message]).to.satisfy(
          ([code, line]: string[]) =>
            code === "usage" && line.startsWith(`${option}: ${JSON.stringify(wrong)} is not supported; `),
        );
        await give({ [option]: right, trust_remote_code: true, low_cpu_mem_usage: true });
      }
    });

    it(`${call}, anything but an object of options`, async () => {
      for (const wrong of ["x", 1, [], new Map(), Promise.resolve({}), NaN])
        expect((await engineErrorOf(() => give(wrong as object))).message).to.match(/^from_pretrained: takes its arg/);
      await give(null as never);
    });
  }

  it("a format by all its names", async () => {
    const load = (options: object) => BarkModel.from_pretrained(new MemoryStore(new Map(), "empty"), options);
    for (const dtype of ["f32", "fp32", "float32", "f16", "fp16", "float16", "bf16", "bfloat16", "q8", "auto"])
      for (const option of ["dtype", "torch_dtype"])
        expect((await engineErrorOf(() => load({ [option]: dtype }))).where).to.equal("empty");
    for (const dtype of ["float64", "q4", "int8", "F32", "__proto__", "constructor"])
      expect((await engineErrorOf(() => load({ dtype }))).message).to.match(
        /^dtype: wrong value \(expected f32, .*auto/,
      );
    const both = await engineErrorOf(() => load({ dtype: "f32", torch_dtype: "f16" }));
    expect(both.message).to.match(/^torch_dtype: is given twice/);
  });
});

describe("arguments of a processor", () => {
  let processor: BarkProcessor;
  before(async () => {
    processor = await BarkProcessor.from_pretrained("models/nano", { onNotice: () => undefined });
  });

  const options = {
    max_length: ["bigint"],
    truncation: flag,
    add_special_tokens: ["boolean"],
    return_attention_mask: flag,
    return_token_type_ids: flag,
    return_special_tokens_mask: flag,
    return_offsets_mapping: flag,
    return_length: flag,
    text_pair: ["null", "text", "list"],
    return_tensors: none,
    names_only: flag,
    allow_urls: flag,
  } satisfies Record<string, readonly Odd[]>;
  const give = (args: object): unknown => processor("Hi", args);
  const named = /^(voice.preset|[x1]: no such voice)/;
  testRows([
    {
      call: "processor",
      argument: "text",
      takes: ["text", "list of texts"],
      isRequired: true,
      give: (value) => processor(value as string),
    },
    ...namedRows("processor", give, options),
    ...namedRows("processor", give, { voice_preset: none }).map((row) => ({ ...row, named })),
    {
      call: "loadVoice",
      argument: "voice_preset",
      isRequired: true,
      named,
      give: (value) => processor.loadVoice(value as string),
    },
    ...namedRows("loadVoice", (args) => processor.loadVoice("en_speaker_0", args), {
      names_only: flag,
      allow_urls: flag,
    }),
    {
      call: "truncation",
      argument: "text",
      takes: ["text"],
      isRequired: true,
      give: (value) => processor.truncation(value as string, 3),
    },
    {
      call: "truncation",
      argument: "limit",
      takes: ["bigint"],
      isRequired: true,
      give: (value) => processor.truncation("Hi", value as number),
    },
  ]);
  testMisspelt("processor", [...Object.keys(options), "voice_preset"], give);

  it("names of transformers' tokenizers", async () => {
    for (const [option, wrong, right] of [
      ["padding", "max_length", undefined],
      ["padding_side", "left", "right"],
      ["pad_to_multiple_of", 8, null],
      ["return_overflowing_tokens", true, false],
      ["stride", 2, 0],
    ] as const) {
      expect((await engineErrorOf(() => give({ [option]: wrong }))).message).to.match(
        new RegExp(`^${option}: .* is not supported`),
      );
      await give({ [option]: right });
    }
    expect((await engineErrorOf(() => give({ voice: "en_speaker_0" }))).message).to.match(/^voice: is not an argument/);
  });

  it("a voice by its place", async () => {
    const error = await engineErrorOf(() => processor("Hi", "en_speaker_0" as never));
    expect(error.message).to.match(
      /^the processor: takes its arguments by name.*; give processor\(text, \{ voice_preset/,
    );
    const three = await engineErrorOf(() => (processor as (...args: unknown[]) => unknown)("Hi", {}, {}));
    expect(three.message).to.match(/^the processor: takes no further argument/);
  });

  it("no presets where their index is null", async () => {
    const opened = await BarkProcessor.from_pretrained("models/nano", { speaker_embeddings_dict_path: null });
    expect(opened.available_voice_presets).to.deep.equal([]);
  });
});

describe("arguments of what is saved", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "bark-arguments-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("writes nothing for an option that would be ignored", async () => {
    const processor = await BarkProcessor.from_pretrained("models/nano");
    const savers: ((options?: object) => Promise<void>)[] = [
      (options) => processor.save_pretrained(path.join(folder, "x"), options),
      (options) => new BarkConfig().save_pretrained(path.join(folder, "x"), options),
      (options) => new BarkGenerationConfig().save_pretrained(path.join(folder, "x"), options),
    ];
    for (const save of savers) {
      for (const wrong of [{ push_to_hub: true }, { speaker_embedding_directory: 1 }, "x", { variant: "fp16" }])
        expect((await engineErrorOf(() => save(wrong as object))).code).to.equal("usage");
      expect(readdirSync(folder)).to.deep.equal([]);
    }
    for (const save of savers) await save({ push_to_hub: false, safe_serialization: true });
  });

  const savesTo = (value: unknown): unknown => new BarkConfig().save_pretrained(value as string);
  testRows([
    {
      call: "save_pretrained",
      argument: "save_directory",
      takes: ["text"],
      isRequired: true,
      give: (value) => value === "x" || savesTo(value),
    },
  ]);
});

describe("arguments of audio functions", () => {
  const samples = Float32Array.of(0, 1);
  const six = new Float32Array(6);
  const wav = encode_wav(24000, samples);
  const audio = new NdArray(samples, [1, 2]);
  const numbers = { semantic_pad_token: 9, semantic_vocab_size: 9, n_coarse_codebooks: 2, codebook_size: 4 };
  const fine = new NdArray(Int32Array.of(1, 2), [2, 1]);
  const signal = { argument: "samples", takes: ["list"], isRequired: true } satisfies Partial<ArgumentRow>;
  const rate = { argument: "sample_rate", takes: ["bigint"], isRequired: true } satisfies Partial<ArgumentRow>;

  testRows([
    { call: "encode_wav", ...rate, give: (value) => encode_wav(value as number, samples) },
    { call: "encode_wav", ...signal, give: (value) => encode_wav(24000, value as number[]) },
    ...namedRows("encode_wav", (args) => encode_wav(24000, six, args), { format: none, channels: ["null", "bigint"] }),
    {
      call: "write_wav",
      argument: "path",
      takes: ["text"],
      isRequired: true,
      give: (value) => value === "x" || write_wav(value as string, 24000, samples),
    },
    { call: "write_wav", ...rate, give: (value) => value === 3n || write_wav("x.wav", value as number, samples) },
    { call: "decode_wav", argument: "bytes", isRequired: true, give: (value) => decode_wav(value as Uint8Array) },
    {
      call: "to_mono",
      argument: "rate",
      named: /^(rate: |audio: has a sample rate that cannot be converted)/,
      isRequired: true,
      takes: ["fraction"],
      give: (value) => value === 1.5 || to_mono({ audio, sample_rate: 24000 }, value as number),
    },
    {
      call: "to_mono",
      argument: "sample_rate",
      named: /^(sample_rate: |audio: has a sample rate that cannot be converted)/,
      isRequired: true,
      takes: ["fraction"],
      give: (value) => value === 1.5 || to_mono({ audio, sample_rate: value as number }, 24000),
    },
    {
      call: "to_mono",
      argument: "audio",
      isRequired: true,
      give: (value) => to_mono({ audio: value as NdArray<Float32Array<ArrayBuffer>>, sample_rate: 24000 }, 24000),
    },
    {
      call: "voicePromptFromRun",
      argument: "semantic",
      isRequired: true,
      takes: ["list"],
      give: (value) => voicePromptFromRun(value as [], [1, 2], fine, numbers),
    },
    {
      call: "voicePromptFromRun",
      argument: "coarse",
      isRequired: true,
      takes: ["list"],
      give: (value) => voicePromptFromRun([1], value as [], fine, numbers),
    },
    {
      call: "voicePromptFromRun",
      argument: "fine",
      isRequired: true,
      give: (value) => voicePromptFromRun([1], [1, 2], value as NdArray, numbers),
    },
    {
      call: "DynamicCache",
      argument: "layers",
      takes: ["list"],
      named: /^(layers|past_key_values, layer 0)\b/,
      give: (value) => new DynamicCache(value as []),
    },
  ]);
  testMisspelt("encode_wav", ["format", "channels"], (args) => encode_wav(24000, samples, args));

  it("in the wrong order", async () => {
    expect((await engineErrorOf(() => encode_wav(samples as never, 24000 as never))).message).to.match(
      /^sample_rate: .*got Float32Array/,
    );
    expect((await engineErrorOf(() => write_wav("x.wav", audio as never, 24000 as never))).message).to.match(
      /^sample_rate: .*got NdArray/,
    );
    expect((await engineErrorOf(() => encode_wav(24000, [0, NaN]))).message).to.match(/^samples: .*NaN at 1/);
    expect(encode_wav(24000, audio)).to.deep.equal(wav);
  });
});

describe("arguments of openGpu", () => {
  const takes = { device: name, onNotice: callback, kernels: none, versions: ["null", "object"] } satisfies Record<
    string,
    readonly Odd[]
  >;
  testRows(namedRows("openGpu", readGpuOptions, takes));
  testMisspelt("openGpu", Object.keys(takes), readGpuOptions);

  it("the best GPU by all its names, and none for the processor's", async () => {
    for (const device of ["auto", "gpu", "webgpu"]) expect(readGpuOptions({ device })).to.deep.equal({});
    for (const device of ["software", "llvmpipe"]) expect(readGpuOptions({ device })).to.deep.equal({ device });
    for (const device of ["cpu", "wasm"])
      expect((await engineErrorOf(() => openGpu({ device }))).message).to.match(
        /^device: .*got "(cpu|wasm)"\); give "software"/,
      );
  });
});
