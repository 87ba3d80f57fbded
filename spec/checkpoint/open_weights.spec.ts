import { expect } from "chai";
import { HuggingFaceView } from "../../checkpoint/suno/hugging_face_view.ts";
import { openWeights } from "../../checkpoint/open_weights.ts";
import type { ByteSource } from "../../checkpoint/sources/byte_source.ts";
import { readJsonFile } from "../../checkpoint/json_file.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { readFixture } from "../support/runtime.ts";
import { WatchedStore } from "../support/files/watched_store.ts";
import { safetensorsBytes } from "../support/files/safetensors_bytes.ts";

type Files = Record<string, Uint8Array | string>;

function storeOf(files: Files): MemoryStore {
  const bytes = (content: Uint8Array | string): Uint8Array =>
    typeof content === "string" ? new TextEncoder().encode(content) : content;
  return new MemoryStore(new Map(Object.entries(files).map(([name, content]) => [name, bytes(content)])), "bark");
}

const shards = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"];
const sharded: Files = {};
for (const name of [...shards, "pytorch_model.bin.index.json"])
  sharded[name] = await readFixture(`torch/sharded/${name}`);
const suno: Files = {};
for (const name of ["text.pt", "coarse.pt", "fine.pt", "encodec_24khz-d7cc33bc.th"])
  suno[name] = await readFixture(`torch/suno/${name}`);
const index = JSON.parse(new TextDecoder().decode(sharded["pytorch_model.bin.index.json"] as Uint8Array)) as {
  weight_map: Record<string, string>;
};
const aTensor = "semantic.lm_head.weight";

/** The shards with an index in which `aTensor` is said to lie in `shard`. */
const indexed = (shard: unknown): Files => ({
  ...sharded,
  "pytorch_model.bin.index.json": JSON.stringify({ weight_map: { ...index.weight_map, [aTensor]: shard } }),
});
const without = (files: Files, ...names: string[]): Files =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)));

/** A matrix [2, 33] of quants, with these scales. */
function q8(scale?: { dtype: string; shape: number[]; bytes: number }): Files {
  const header = {
    x: { dtype: "I8", shape: [2, 33], data_offsets: [0, 66] },
    ...(scale && { x_scale: { dtype: scale.dtype, shape: scale.shape, data_offsets: [66, 66 + scale.bytes] } }),
  };
  return { "model.safetensors": safetensorsBytes(header, new Uint8Array(66 + (scale?.bytes ?? 0))) };
}

describe("openWeights refuses", () => {
  const refused: Record<string, [files: Files, message: RegExp]> = {
    "a folder without weights": [{ "config.json": "{}" }, /^bark: the checkpoint has no weights .*pytorch_model\.bin/],
    "an index that is not an object": [
      { ...sharded, "pytorch_model.bin.index.json": "[]" },
      /^bark\/pytorch_model\.bin\.index\.json: has no weight_map object/,
    ],
    "an index that points out of the folder": [
      indexed("../pytorch_model.bin"),
      /^bark\/pytorch_model\.bin\.index\.json: tensor semantic\.lm_head\.weight names no shard .*got \.\.\/pytorch_model\.bin/,
    ],
    "an index that points to a folder above by backslashes": [indexed("..\\x.bin"), /names no shard/],
    "an index that points to another kind of file": [indexed("/etc/passwd"), /names no shard/],
    "an index with a number for a shard": [indexed(7), /names no shard/],
    "an index that points to another kind of file by its end": [indexed("x.bin.txt"), /names no shard/],
    "an index with a list for a shard": [indexed([shards[0]]), /names no shard/],
    "an index with a tensor that no shard has": [
      {
        ...sharded,
        "pytorch_model.bin.index.json": JSON.stringify({
          weight_map: { ...index.weight_map, "semantic.x": shards[0] },
        }),
      },
      /: tensor semantic\.x is not in its shard .*expected in pytorch_model-00001/,
    ],
    "a shard that is missing": [
      without(sharded, shards[1]),
      /^bark\/pytorch_model\.bin\.index\.json: the shard pytorch_model-00002-of-00002\.bin is missing; download it too/,
    ],
    "a tensor in another shard than the index says": [
      indexed(shards[1]),
      /: tensor semantic\.lm_head\.weight is not in its shard .*expected in pytorch_model-00002/,
    ],
    "shards that overlap": [{ ...sharded, [shards[1]]: sharded[shards[0]] }, /: tensor [\w.]+ is in two shards/],
    "suno's files without the coarse model": [without(suno, "coarse.pt"), /^bark: .* lacks coarse_2\.pt or coarse\.pt/],
    "suno's files without the codec": [
      without(suno, "encodec_24khz-d7cc33bc.th"),
      /^bark: .* lacks encodec_24khz-d7cc33bc\.th; put it into the same folder/,
    ],
    "quants without scales": [q8(), /^bark\/model\.safetensors: I8 tensor x has no fitting x_scale .*got none/],
    "quants with too few scales": [
      q8({ dtype: "F32", shape: [2, 1], bytes: 8 }),
      /no fitting x_scale \(expected F32 \[2, 2\], got F32 \[2, 1\]\)/,
    ],
    "quants with scales of another dtype": [q8({ dtype: "F16", shape: [2, 2], bytes: 8 }), /got F16 \[2, 2\]/],
  };
  for (const [name, [files, message]] of Object.entries(refused))
    it(name, async () => {
      const opened: ByteSource[] = [];
      const closed: ByteSource[] = [];
      const store = storeOf(files);
      const open = store.open.bind(store);
      store.open = async (file) => {
        const source = await open(file);
        if (source === undefined) return undefined;
        opened.push(source);
        source.close = async () => void closed.push(source);
        return source;
      };
      const error = await engineErrorOf(() => openWeights(store));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(message);
      expect(new Set(closed), "every file that it opened is closed").to.deep.equal(new Set(opened));
    });
});

describe("openWeights", () => {
  it("passes over causal masks that an index names, and closes every shard when it is closed", async () => {
    const mask = "semantic.layers.0.attn.bias";
    const store = storeOf({
      ...sharded,
      "pytorch_model.bin.index.json": JSON.stringify({ weight_map: { ...index.weight_map, [mask]: shards[0] } }),
    });
    const watched = new WatchedStore(store);
    const reader = await openWeights(watched);
    expect([reader.has(mask), reader.has(aTensor)]).to.deep.equal([false, true]);
    expect(watched.stillOpen).to.have.members(shards.map((name) => `bark/${name}`));
    await reader.close();
    expect(watched.stillOpen).to.deep.equal([]);
  });

  it("takes safetensors before pytorch_model.bin before suno's files", async () => {
    const first = async (files: Files): Promise<string> => [...(await openWeights(storeOf(files))).names()][0];
    const safetensors = safetensorsBytes(
      { only: { dtype: "F32", shape: [0], data_offsets: [0, 0] } },
      new Uint8Array(0),
    );
    const all = { "model.safetensors": safetensors, "pytorch_model.bin": suno["fine.pt"], ...suno };
    expect(await first(all)).to.equal("only");
    expect(await first(without(all, "model.safetensors"))).to.match(/^transformer\./);
    expect(await first(suno)).to.match(/^semantic\./);
  });

  it("takes suno's large models before the small ones", async () => {
    const reader = await openWeights(storeOf({ ...suno, "coarse_2.pt": suno["fine.pt"] }));
    expect(reader.has("coarse_acoustics.input_embeds_layers.0.weight")).to.equal(true);
  });
});

describe("HuggingFaceView", () => {
  it("makes up the config of suno's files, and of no others", async () => {
    const view = new HuggingFaceView(storeOf(suno));
    expect((await view.open("config.json"))?.name).to.equal("bark/config.json");
    expect(await readJsonFile(view, "config.json")).to.include({ model_type: "bark" });
    expect(await readJsonFile(view, "generation_config.json")).to.include({ sample_rate: 24000 });
    expect(await view.open("tokenizer.json")).to.equal(undefined);
    expect(await new HuggingFaceView(storeOf(sharded)).open("config.json")).to.equal(undefined);
    const own = new HuggingFaceView(storeOf({ ...suno, "config.json": '{"model_type": "mine"}' }));
    expect(await readJsonFile(own, "config.json")).to.deep.equal({ model_type: "mine" });
    expect(await own.open("generation_config.json"), "not mixed with another's").to.equal(undefined);
  });

  it("says what suno's file lacks", async () => {
    const swapped = new HuggingFaceView(storeOf({ ...suno, "text.pt": suno["encodec_24khz-d7cc33bc.th"] }));
    const error = await engineErrorOf(() => swapped.open("config.json"));
    expect(error.code).to.equal("bad-input");
    expect(error.toLine()).to.match(/^bark\/text\.pt: model_args/);
  });
});
