import { expect } from "chai";
import { SafetensorsCheckpoint } from "../../../checkpoint/safetensors/checkpoint.ts";
import { MemoryStore } from "../../../checkpoint/stores/memory.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { bytesOf, safetensorsBytes } from "../../support/files/safetensors_bytes.ts";
import { WatchedStore } from "../../support/files/watched_store.ts";

const indexFile = "model.safetensors.index.json";

/** A file of tensors of shape [n, 1]. */
function shard(tensors: Record<string, number[]>): Uint8Array {
  const header: Record<string, object> = {};
  let end = 0;
  for (const [name, values] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape: [values.length, 1], data_offsets: [end, end + 4 * values.length] };
    end += 4 * values.length;
  }
  return safetensorsBytes(header, bytesOf(Float32Array.from(Object.values(tensors).flat())));
}

function storeOf(files: Record<string, Uint8Array | object>): WatchedStore {
  const bytes = Object.entries(files).map(([name, content]): [string, Uint8Array] => [
    name,
    content instanceof Uint8Array ? content : new TextEncoder().encode(JSON.stringify(content)),
  ]);
  return new WatchedStore(new MemoryStore(new Map(bytes), "bark"));
}

const first = shard({ a: [1, 2], b: [3] });
const second = shard({ c: [4, 5, 6] });
const sharded = (weight_map: unknown, files: Record<string, Uint8Array> = {}) =>
  storeOf({ [indexFile]: { metadata: { total_size: 24 }, weight_map }, "1.safetensors": first, ...files });

describe("SafetensorsCheckpoint", () => {
  it("opens one file", async () => {
    const store = storeOf({ "model.safetensors": first });
    const checkpoint = await SafetensorsCheckpoint.open(store);
    expect([...checkpoint.names()]).to.deep.equal(["a", "b"]);
    expect([checkpoint.has("b"), checkpoint.has("c")]).to.deep.equal([true, false]);
    expect(checkpoint.info("a")).to.deep.equal({ dtype: "F32", shape: [2, 1], file: "bark/model.safetensors" });
    expect([...(await checkpoint.readFloat32("a"))]).to.deep.equal([1, 2]);
    await checkpoint.close();
    expect(store.stillOpen).to.deep.equal([]);
  });

  it("opens shards by their index, each once, and tells which one holds a tensor", async () => {
    const weight_map = { c: "2.safetensors", a: "1.safetensors", b: "1.safetensors" };
    const store = sharded(weight_map, { "2.safetensors": second });
    const checkpoint = await SafetensorsCheckpoint.open(store);
    expect([...checkpoint.names()].sort()).to.deep.equal(["a", "b", "c"]);
    expect(checkpoint.info("c").file).to.equal("bark/2.safetensors");
    expect([...(await checkpoint.readFloat32("b"))]).to.deep.equal([3]);
    expect([...(await checkpoint.readRows("c", 1, 2))]).to.deep.equal([5, 6]);
    expect([...(await checkpoint.gatherRows("c", [2, 0]))]).to.deep.equal([6, 4]);
    expect(store.opened.map(({ name }) => name)).to.deep.equal([
      `bark/${indexFile}`,
      "bark/2.safetensors",
      "bark/1.safetensors",
    ]);
    await checkpoint.close();
    expect(store.stillOpen).to.deep.equal([]);
  });

  it("takes names of any length", async () => {
    const name = "model-00001-of-00001.safetensors";
    const checkpoint = await SafetensorsCheckpoint.open(sharded({ c: name }, { [name]: second }));
    expect([...(await checkpoint.readFloat32("c"))]).to.deep.equal([4, 5, 6]);
  });

  it("prefers the one file to an index", async () => {
    const store = storeOf({ "model.safetensors": first, [indexFile]: { weight_map: { c: "2.safetensors" } } });
    expect((await SafetensorsCheckpoint.open(store)).has("c")).to.equal(false);
  });

  it("closes a file without tensors", async () => {
    const store = storeOf({ "model.safetensors": safetensorsBytes("{}") });
    await (await SafetensorsCheckpoint.open(store)).close();
    expect(store.stillOpen).to.deep.equal([]);
  });

  it("names a tensor that is missing", async () => {
    for (const [store, where] of [
      [storeOf({ "model.safetensors": first }), "bark/model.safetensors"],
      [sharded({ a: "1.safetensors" }), `bark/${indexFile}`],
    ] as const) {
      const checkpoint = await SafetensorsCheckpoint.open(store);
      const error = await engineErrorOf(() => checkpoint.readFloat32("head"));
      expect([error.code, error.where, error.problem]).to.deep.equal(["bad-input", where, "tensor head is missing"]);
    }
  });

  const path = (shardPath: unknown) => sharded({ a: "1.safetensors", c: shardPath });
  const refused: Record<string, [store: WatchedStore, line: RegExp]> = {
    "neither file": [
      storeOf({}),
      /^bark: has neither model\.safetensors nor model\.safetensors\.index\.json; give the/,
    ],
    "a damaged file": [
      storeOf({ "model.safetensors": first.slice(0, -1) }),
      /^bark\/model\.safetensors: the file's size/,
    ],
    "an index that is no JSON": [storeOf({ [indexFile]: new Uint8Array(1) }), /is not valid JSON/],
    "an index without weight_map": [
      storeOf({ [indexFile]: { metadata: {} } }),
      /^bark\/model\.safetensors\.index\.json: has no weight_map object/,
    ],
    "an index that is a list": [storeOf({ [indexFile]: [] }), /has no weight_map object/],
    "a shard that is missing": [
      sharded({ a: "1.safetensors", c: "2.safetensors" }),
      /: the shard 2\.safetensors is missing; download it too$/,
    ],
    "a tensor in an absent shard alone": [sharded({ c: "2.safetensors" }), /the shard 2\.safetensors is missing/],
    "a tensor that its shard lacks": [
      sharded({ a: "1.safetensors", c: "1.safetensors" }),
      /tensor c is not in its shard \(expected in 1\.safetensors, got absent\)/,
    ],
    "a tensor that another shard holds": [
      sharded({ a: "1.safetensors", b: "2.safetensors" }, { "2.safetensors": second }),
      /tensor b is not in its shard/,
    ],
    "a tensor in two shards": [
      sharded({ a: "1.safetensors", c: "2.safetensors" }, { "2.safetensors": shard({ c: [1], b: [2] }) }),
      /tensor b is in two shards \(expected one, got 1\.safetensors and 2\.safetensors\)/,
    ],
    "a damaged shard": [
      sharded({ a: "1.safetensors", c: "2.safetensors" }, { "2.safetensors": second.slice(0, -1) }),
      /^bark\/2\.safetensors: the file's size does not fit its tensors/,
    ],
    "a path out of the folder": [path("../2.safetensors"), /tensor c names no shard .*got \.\.\/2\.safetensors/],
    "a path with backslashes": [path("..\\2.safetensors"), /names no shard/],
    "an absolute path": [path("/etc/2.safetensors"), /names no shard/],
    "a folder below": [path("shards/2.safetensors"), /names no shard/],
    "a URL": [path("https://example.org/2.safetensors"), /names no shard/],
    "a file of another kind": [path("pytorch_model.bin"), /names no shard .*ends in \.safetensors/],
    "a name with more behind it": [path("2.safetensors.bak"), /names no shard/],
    "a name that begins like a folder above": [path("..2.safetensors"), /names no shard/],
    "a list of a name": [path(["2.safetensors"]), /names no shard .*got \["2\.safetensors"\]/],
    "no name at all": [path(null), /names no shard .*got null/],
    "a number": [path(2), /names no shard .*got 2/],
  };
  for (const [name, [store, line]] of Object.entries(refused))
    it(`refuses ${name}, and leaves no file open`, async () => {
      const error = await engineErrorOf(() => SafetensorsCheckpoint.open(store));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(line);
      expect(store.stillOpen).to.deep.equal([]);
    });
});
