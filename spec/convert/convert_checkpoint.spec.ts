import { expect } from "chai";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { convertCheckpoint, type ConvertOptions, type ConvertProgress } from "../../convert/convert_checkpoint.ts";
import { openWeights } from "../../checkpoint/open_weights.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { floatToHalf, halfToFloat } from "../../engine/formats/float16.ts";
import { DirectoryStore } from "../../checkpoint/node/directory_store.ts";
import { dequantizeQ8, quantizeQ8 } from "../../engine/formats/q8.ts";
import { SafetensorsFile } from "../../checkpoint/safetensors/file.ts";
import { MemorySource } from "../../checkpoint/sources/memory.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import { fixtureCheckpoint, type StoredDtype } from "../support/files/fixture_checkpoint.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { openTorchLayout, torchLayouts } from "../support/files/torch_fixture.ts";

const quantized = /\.layers\.\d+\.(attn\.(att|out)_proj|mlp\.(in|out)_proj)\.weight$/;
const trainingState = /\.codebook\.(cluster_size|embed_avg|inited)$/;
const toHalf = (values: Float32Array): Float32Array => values.map((value) => halfToFloat(floatToHalf(value)));

describe("convertCheckpoint", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-convert-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const inFolder = (name: string): string => path.join(folder, name);

  /** The weights of `store` converted, read as a loader reads them. */
  async function converted(store: FileStore, options: ConvertOptions = {}): Promise<TensorReader> {
    await convertCheckpoint(store, inFolder("out"), options);
    return await openWeights(new DirectoryStore(inFolder("out")));
  }

  for (const [name, layout] of Object.entries(torchLayouts)) {
    it(`${name}: keeps every weight as it is stored, tied heads once`, async () => {
      const before = await openWeights(await openTorchLayout(layout));
      const after = await converted(await openTorchLayout(layout));
      const expected = [...before.names()].filter((tensor) => !/lm_heads/.test(tensor));
      expect(expected.length).to.equal([...before.names()].length - 7);
      expect([...after.names()]).to.have.members(expected);
      for (const tensor of expected) {
        expect(after.info(tensor), tensor).to.deep.include({ dtype: layout.dtype, shape: before.info(tensor).shape });
        expect(await after.readFloat32(tensor), tensor).to.deep.equal(await before.readFloat32(tensor));
      }
      await after.close();
      await before.close();
    });

    it(`${name}: f16`, async () => {
      const before = await openWeights(await openTorchLayout(layout));
      const after = await converted(await openTorchLayout(layout), { dtype: "f16" });
      for (const tensor of after.names()) {
        const isState = trainingState.test(tensor);
        expect(after.info(tensor).dtype, tensor).to.equal(isState ? layout.dtype : "F16");
        const values = await before.readFloat32(tensor);
        expect(await after.readFloat32(tensor), tensor).to.deep.equal(isState ? values : toHalf(values));
      }
      await after.close();
      await before.close();
    });

    it(`${name}: q8 of the matrices of attention and MLP, f16 of the rest`, async () => {
      const before = await openWeights(await openTorchLayout(layout));
      const after = await converted(await openTorchLayout(layout), { dtype: "q8" });
      let matrices = 0;
      for (const tensor of after.names()) {
        const { dtype, shape } = after.info(tensor);
        const values = await before.readFloat32(tensor);
        if (trainingState.test(tensor)) continue;
        if (quantized.test(tensor) && !tensor.startsWith("codec_model.")) {
          const [rows, columns] = shape;
          expect(dtype, tensor).to.equal("Q8");
          const expected = dequantizeQ8(quantizeQ8(values, rows, columns), rows, columns);
          expect(await after.readFloat32(tensor), tensor).to.deep.equal(expected);
          expect(await after.readRows(tensor, 1, 2), tensor).to.deep.equal(expected.subarray(columns, 3 * columns));
          expect(await after.gatherRows(tensor, [2, 0]), tensor).to.deep.equal(
            Float32Array.of(...expected.subarray(2 * columns, 3 * columns), ...expected.subarray(0, columns)),
          );
          matrices++;
        } else {
          expect(dtype, tensor).to.equal("F16");
          expect(await after.readFloat32(tensor), tensor).to.deep.equal(toHalf(values));
        }
      }
      expect(matrices).to.equal(3 * 2 * 4);
      expect([...after.names()].some((tensor) => tensor.endsWith("_scale"))).to.equal(false);
      await after.close();
      await before.close();
    });
  }

  it("stores q8 as I8 with F32 scales beside it", async () => {
    await convertCheckpoint(await fixtureCheckpoint("storage_f32"), inFolder("out"), { dtype: "q8" });
    const bytes = new Uint8Array(readFileSync(inFolder("out/model.safetensors")));
    const file = await SafetensorsFile.open(new MemorySource("model.safetensors", bytes));
    const name = "semantic.layers.1.mlp.out_proj.weight";
    expect(file.info(name)).to.deep.include({ dtype: "I8", shape: [24, 96] });
    expect(file.info(`${name}_scale`)).to.deep.include({ dtype: "F32", shape: [24, 3] });
  });

  it("keeps q8 bit by bit where it is converted once more", async () => {
    await convertCheckpoint(await fixtureCheckpoint("storage_f32"), inFolder("a"), { dtype: "q8" });
    await convertCheckpoint(inFolder("a"), inFolder("b"));
    await convertCheckpoint(inFolder("a"), inFolder("c"), { dtype: "f32" });
    await convertCheckpoint(inFolder("c"), inFolder("d"), { dtype: "q8" });
    const weights = (name: string): Buffer => readFileSync(inFolder(`${name}/model.safetensors`));
    expect(weights("b").equals(weights("a"))).to.equal(true);
    expect(weights("d").equals(weights("a"))).to.equal(true);
    expect(weights("c").length).to.be.above(2 * weights("a").length);
  });

  it("says in the config how the weights are stored", async () => {
    const config =
      '{"model_type": "bark", "dtype": "float32", "semantic_config": {"dropout": 0.0, "torch_dtype": "float32"}}';
    for (const [dtype, name] of [
      ["f32", "float32"],
      ["f16", "float16"],
      ["q8", "float16"],
    ]) {
      const store = await withFiles(await fixtureCheckpoint("storage_f32"), { "config.json": config });
      await convertCheckpoint(store, inFolder(dtype), { dtype });
      expect(readFileSync(inFolder(`${dtype}/config.json`), "utf8")).to.equal(config.replaceAll("float32", name));
    }
  });

  it("writes shards with an index above a limit, which load again", async () => {
    const store = await fixtureCheckpoint("storage_f32");
    const before = await openWeights(store);
    const reader = await converted(store, { maxShardBytes: 100_000 });
    const files = readdirSync(inFolder("out")).filter((name) => name.endsWith(".safetensors"));
    expect(files.length).to.be.above(2);
    expect(files).to.include(`model-00001-of-0000${files.length}.safetensors`);
    const total = [...reader.names()].reduce((sum, name) => sum + 4 * sizeOf(reader.info(name).shape), 0);
    const index = JSON.parse(readFileSync(inFolder("out/model.safetensors.index.json"), "utf8")) as {
      metadata: { total_size: number };
      weight_map: Record<string, string>;
    };
    expect(index.metadata.total_size).to.equal(total);
    expect(Object.keys(index.weight_map)).to.have.members([...reader.names()]);
    for (const name of reader.names())
      expect(await reader.readFloat32(name), name).to.deep.equal(await before.readFloat32(name));
    await reader.close();
  });

  it("copies tokenizer and presets, and says what is missing", async () => {
    await convertCheckpoint("models/nano", inFolder("nano"), { onNotice: (line) => expect.fail(line) });
    for (const name of ["tokenizer.json", "generation_config.json", "speaker_embeddings_path.json"])
      expect(readFileSync(inFolder(`nano/${name}`)).equals(readFileSync(`models/nano/${name}`)), name).to.equal(true);
    expect(readdirSync(inFolder("nano/speaker_embeddings"))).to.deep.equal(
      readdirSync("models/nano/speaker_embeddings"),
    );
    const notices: string[] = [];
    const onNotice = (line: string): void => void notices.push(line);
    await convertCheckpoint(await fixtureCheckpoint("storage_f32"), inFolder("out"), { dtype: "q8", onNotice });
    expect(notices.length).to.equal(2);
    expect(notices.join("\n"))
      .to.match(/transformers convert with --dtype f16/)
      .and.match(/put the vocab\.txt/);
  });

  it("finds a codec whose name has another hash", async () => {
    const suno = await openTorchLayout(torchLayouts["suno's files"]);
    const other = "encodec_24khz-0123.th";
    const renamed: FileStore = {
      name: "suno",
      open: async (file) =>
        await suno.open(file === other ? "encodec_24khz-d7cc33bc.th" : file.endsWith(".th") ? "none" : file),
      list: async () => ["text.pt", other],
    };
    const reader = await converted(renamed);
    expect(reader.has("codec_model.decoder.layers.0.conv.bias")).to.equal(true);
    await reader.close();
  });

  it("tells how far it is", async () => {
    const seen: ConvertProgress[] = [];
    const onProgress = (progress: ConvertProgress): void => void seen.push({ ...progress });
    const { bytes } = await convertCheckpoint(await fixtureCheckpoint("storage_f32"), inFolder("out"), { onProgress });
    expect(seen.at(-1)).to.include({ done: bytes, total: bytes });
    for (const [i, { done }] of seen.entries()) expect(done).to.be.at.least(seen[i - 1]?.done ?? 0);
  });

  describe("leaves nothing behind", () => {
    afterEach(() => expect(readdirSync(folder)).to.deep.equal([]));

    it("when it is stopped", async () => {
      const stop = new AbortController();
      const onProgress = ({ done, total }: ConvertProgress): void => void (done > total / 2 && stop.abort());
      const error = await engineErrorOf(async () =>
        convertCheckpoint(await fixtureCheckpoint("storage_f32"), inFolder("out"), { signal: stop.signal, onProgress }),
      );
      expect(error.code).to.equal("aborted");
    });

    it("when the source ends half way", async () => {
      const whole = await openTorchLayout(torchLayouts["pytorch_model.bin"]);
      let reads = 0;
      const failing: FileStore = {
        name: "failing",
        open: async (file) => {
          const source = await whole.open(file);
          if (source === undefined || !file.endsWith(".bin")) return source;
          const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
            if (++reads > 60) throw new EngineError("bad-input", "the file became shorter", { where: source.name });
            return await source.read(offset, length);
          };
          return { name: source.name, size: source.size, read, close: () => source.close() };
        },
      };
      expect((await engineErrorOf(() => convertCheckpoint(failing, inFolder("out")))).message).to.match(/shorter/);
    });

    it("when a value does not fit f16 or q8", async () => {
      for (const [dtype, value, message] of [
        [
          "f16",
          70_000,
          /: tensor semantic\.x: holds a value beyond the range of f16 .*got 70000\); convert with --dtype f32/,
        ],
        ["q8", Infinity, /: tensor semantic\.layers\.0\.mlp\.in_proj\.weight: holds a value that is not finite/],
      ] as const) {
        const name = dtype === "f16" ? "semantic.x" : "semantic.layers.0.mlp.in_proj.weight";
        const error = await engineErrorOf(() => convertCheckpoint(oneTensor(name, value), inFolder("out"), { dtype }));
        expect(error.code).to.equal("bad-input");
        expect(error.toLine()).to.match(message);
      }
    });

    it("when a preset lies outside the folder", async () => {
      const index = JSON.stringify({ me: { semantic_prompt: "../../secret.npy" } });
      const store = await withFiles(await fixtureCheckpoint("storage_f32"), { "speaker_embeddings_path.json": index });
      const error = await engineErrorOf(() => convertCheckpoint(store, inFolder("out")));
      expect(error.toLine()).to.match(
        /speaker_embeddings_path\.json: Invalid voice preset path: '\.\.\/\.\.\/secret\.npy'/,
      );
    });

    it("when the dtype is invalid", async () => {
      const error = await engineErrorOf(() => convertCheckpoint("models/nano", inFolder("out"), { dtype: "f8" }));
      expect([error.code, error.expected]).to.deep.equal(["usage", "f32, f16 or q8"]);
    });
  });

  it("takes an empty folder, and no other", async () => {
    mkdirSync(inFolder("empty"));
    await convertCheckpoint(await fixtureCheckpoint("storage_f32"), inFolder("empty"));
    expect(readdirSync(inFolder("empty"))).to.include("model.safetensors");
    writeFileSync(inFolder("file"), "mine");
    for (const [target, message] of [
      ["empty", "the folder is not empty"],
      ["file", "is not a folder"],
    ]) {
      const error = await engineErrorOf(async () =>
        convertCheckpoint(await fixtureCheckpoint("storage_f32"), inFolder(target)),
      );
      expect([error.code, error.problem]).to.deep.equal(["usage", message]);
    }
    expect(readFileSync(inFolder("file"), "utf8")).to.equal("mine");
    const onto = await engineErrorOf(() => convertCheckpoint(inFolder("empty"), inFolder("empty")));
    expect(onto.problem, "onto itself").to.equal("the folder is not empty");
    expect(readdirSync(folder).sort()).to.deep.equal(["empty", "file"]);
  });

  it("writes where a link leads, and takes the longest name", async () => {
    mkdirSync(inFolder("empty"), { mode: 0o750 });
    symlinkSync("empty", inFolder("to-empty"));
    symlinkSync("made", inFolder("to-nothing"));
    const inode = statSync(inFolder("empty")).ino;
    for (const name of ["to-empty", "to-nothing", "ю".repeat(127)]) {
      await convertCheckpoint(await fixtureCheckpoint("storage_f32"), inFolder(name));
      expect(readdirSync(inFolder(name)), name).to.include.members(["config.json", "model.safetensors"]);
      expect(readdirSync(inFolder(name)).some((file) => file.endsWith(".tmp"))).to.equal(false);
    }
    for (const name of ["to-empty", "to-nothing"]) expect(lstatSync(inFolder(name)).isSymbolicLink()).to.equal(true);
    const { ino, mode } = statSync(inFolder("empty"));
    expect([ino, mode & 0o777], "the folder itself stays: it may be a mount point").to.deep.equal([inode, 0o750]);
  });

  it("refuses a name that is too long before it reads a weight", async () => {
    for (const name of ["x".repeat(256), `${"x".repeat(256)}/out`]) {
      const opened: string[] = [];
      const watched: FileStore = { name: "watched", open: async (file) => void opened.push(file) };
      const error = await engineErrorOf(() => convertCheckpoint(watched, inFolder(name)));
      expect([error.code, error.problem]).to.deep.equal(["usage", "the name is too long for the file system"]);
      expect(opened).to.deep.equal([]);
    }
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** A checkpoint with other files in place of its own. */
async function withFiles(store: FileStore, files: Record<string, string>): Promise<FileStore> {
  return {
    name: store.name,
    open: async (file) =>
      file in files
        ? new MemorySource(`${store.name}/${file}`, new TextEncoder().encode(files[file]))
        : await store.open(file),
  };
}

/** A checkpoint of one tensor [1, 2] in F32. */
function oneTensor(name: string, value: number): FileStore {
  const header = JSON.stringify({
    [name]: { dtype: "F32" satisfies StoredDtype, shape: [1, 2], data_offsets: [0, 8] },
  });
  const file = new Uint8Array(8 + header.length + 8);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(new TextEncoder().encode(header), 8);
  file.set(new Uint8Array(Float32Array.of(1, value).buffer), 8 + header.length);
  const files: Record<string, Uint8Array> = {
    "config.json": new TextEncoder().encode('{"model_type": "bark"}'),
    "model.safetensors": file,
  };
  return {
    name: "one",
    open: async (path) => (path in files ? new MemorySource(`one/${path}`, files[path]) : undefined),
  };
}
