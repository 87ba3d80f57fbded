import { expect } from "chai";
import { TorchFile } from "../../../checkpoint/torch/torch_file.ts";
import { EngineError } from "../../../engine/errors.ts";
import { MemorySource } from "../../../checkpoint/sources/memory.ts";
import { globalOf, op, pickle, shortText, u32 } from "../../support/files/pickle_bytes.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { readFixture } from "../../support/runtime.ts";
import { WatchedSource } from "../../support/files/watched_store.ts";
import { zipBytes, type ZipMember } from "../../support/files/zip_bytes.ts";

const open = async (bytes: Uint8Array): Promise<TorchFile> => await TorchFile.open(new MemorySource("x.pt", bytes));

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const base = (row: number, column: number): number => 6 * row + column;
const grid = (rows: number, columns: number, value: (row: number, column: number) => number): number[] =>
  numbers(rows * columns).map((i) => value(Math.floor(i / columns), i % columns));

/** What make_torch.py saved, by the rules of strides. */
const views: Record<string, [dtype: string, shape: number[], values: number[]]> = {
  whole: ["F32", [4, 6], numbers(24)],
  transposed: ["F32", [6, 4], grid(6, 4, (row, column) => base(column, row))],
  block: ["F32", [2, 3], grid(2, 3, (row, column) => base(row + 1, column + 2))],
  every_other: ["F32", [4, 3], grid(4, 3, (row, column) => base(row, 2 * column))],
  three_axes: [
    "F32",
    [6, 2, 2],
    numbers(24).map((i) => (Math.floor(i / 4) % 6) + 6 * (i % 2) + 12 * (Math.floor(i / 2) % 2)),
  ],
  row: ["F32", [6], numbers(6).map((i) => 12 + i)],
  repeated: ["F32", [3, 6], grid(3, 6, (_, column) => column)],
  scalar: ["F32", [], [7]],
  empty: ["F32", [0, 3], []],
  parameter: ["F32", [4], [1, 7, 13, 19]],
  f16: ["F16", [4], [1.5, -2, 0.0999755859375, 65504]],
  bf16: ["BF16", [4], [1.5, -2, 0.10009765625, 65536]],
  f64: ["F64", [4], [1.5, -2, Math.fround(Math.fround(0.1)), 65504]],
  f16_transposed: ["F16", [6, 4], grid(6, 4, (row, column) => base(column, row))],
  f64_transposed: ["F64", [6, 4], grid(6, 4, (row, column) => base(column, row))],
};

describe("TorchFile of what torch saved", () => {
  for (const protocol of [2, 4, 5])
    describe(`with pickle protocol ${protocol}`, () => {
      const openViews = async () => await open(await readFixture(`torch/views/protocol_${protocol}.pt`));

      for (const [name, [dtype, shape, values]] of Object.entries(views))
        it(`reads ${name}`, async () => {
          const file = await openViews();
          expect(file.info(name)).to.deep.equal({ dtype, shape, file: "x.pt" });
          expect([...(await file.readFloat32(name))]).to.deep.equal(values);
          if (shape.length === 0 || shape[0] === 0) return;
          const width = values.length / shape[0];
          const rows = values.slice(width, 2 * width);
          expect([...(await file.readRows(name, 1, 1))]).to.deep.equal(rows);
          expect([...(await file.gatherRows(name, [1, 0]))]).to.deep.equal([...rows, ...values.slice(0, width)]);
        });

      it("lists tensors that are not weights, and does not read them", async () => {
        const file = await openViews();
        for (const [name, dtype] of [
          ["bool", "BOOL"],
          ["uint8", "U8"],
          ["int8", "I8"],
          ["int16", "I16"],
          ["int32", "I32"],
          ["int64", "I64"],
          ["uint16", "U16"],
        ]) {
          expect(file.info(name).dtype).to.equal(dtype);
          const error = await engineErrorOf(() => file.readFloat32(name));
          expect(error.code).to.equal("bad-input");
          expect(error.toLine()).to.contain(`x.pt: tensor ${name}: weights of this dtype cannot be used`);
        }
      });

      it("passes over causal masks and anything but tensors", async () => {
        const file = await openViews();
        expect(file.has("note")).to.equal(false);
        expect([...file.names()].some((name) => name.endsWith("attn.bias"))).to.equal(false);
      });
    });

  it("refuses rows that a tensor does not have", async () => {
    const file = await open(await readFixture("torch/views/protocol_2.pt"));
    for (const read of [
      () => file.readRows("whole", 3, 2),
      () => file.readRows("whole", -1, 1),
      () => file.readRows("scalar", 0, 1),
      () => file.gatherRows("whole", [0, 4]),
    ]) {
      const error = await engineErrorOf(read);
      expect([error.code, error.problem.startsWith("has no rows")]).to.deep.equal(["shape", true]);
      expect(error.toLine()).to.match(/^x\.pt: tensor (whole|scalar): .*\(got shape \[(4, 6)?\]\)$/);
    }
    expect((await engineErrorOf(() => file.info("none"))).problem).to.match(/tensor/);
  });
});

interface StorageId {
  kind?: readonly number[];
  type?: readonly number[];
  key?: readonly number[];
  count?: readonly number[];
}

/** (storage, FloatStorage, key, cpu, count) as persistent id, each by the operations that give it. */
function storageId({
  kind = shortText("storage"),
  type = globalOf("torch", "FloatStorage"),
  key = shortText("0"),
  count = [op.binInt, ...u32(4)],
}: StorageId): number[] {
  return [op.mark, ...kind, ...type, ...key, ...shortText("cpu"), ...count, op.tuple, op.persistentId];
}

function storage(key: string, count: number, type = "FloatStorage"): number[] {
  return storageId({ type: globalOf("torch", type), key: shortText(key), count: [op.binInt, ...u32(count)] });
}

const ints = (values: readonly number[]): number[] => [
  op.mark,
  ...values.flatMap((value) => [op.binInt, ...u32(value)]),
  op.tuple,
];

interface View {
  /** The number, or the operations that give another value. */
  offset?: number | readonly number[];
  shape?: readonly number[];
  strides?: readonly number[];
  from?: readonly number[];
}

function tensor({ offset = 0, shape = [2], strides = [1], from = storage("0", 4) }: View = {}): number[] {
  return [
    ...[...globalOf("torch._utils", "_rebuild_tensor_v2"), op.mark, ...from],
    ...(typeof offset === "number" ? [op.binInt, ...u32(offset)] : offset),
    ...[...ints(shape), ...ints(strides), op.newFalse, op.emptyDict, op.tuple, op.reduce],
  ];
}

/** A file of one dictionary with these tensors, each after its name, and one storage of four floats. */
function file(
  entries: Record<string, number[]>,
  changes: Partial<ZipMember>[] = [],
  more: ZipMember[] = [],
): Uint8Array {
  const items = Object.entries(entries).flatMap(([name, value]) => [...shortText(name), ...value]);
  const members: ZipMember[] = [
    { name: "archive/data.pkl", content: pickle(op.emptyDict, op.mark, items, op.setItems) },
    { name: "archive/data/0", content: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) },
  ];
  return zipBytes([...members.map((member, i) => ({ ...member, ...changes[i] })), ...more]);
}

describe("TorchFile", () => {
  it("reads a view that begins within a storage", async () => {
    const opened = await open(file({ a: tensor({ offset: 1, shape: [2], strides: [2] }) }));
    expect([...(await opened.readFloat32("a"))]).to.deep.equal([2, 4]);
  });

  it("takes the state dict from under model or state_dict, names without what torch.compile adds", async () => {
    for (const key of ["model", "state_dict"]) {
      const inner = [op.emptyDict, ...shortText("_orig_mod.a._orig_mod.b"), ...tensor(), op.setItem];
      const opened = await open(file({ [key]: inner, c: tensor() }));
      expect([...opened.names()]).to.deep.equal(["a.b"]);
    }
  });

  it("passes over keys that are not names, and finds its pickle in the folder of the archive alone", async () => {
    const content = pickle(op.emptyDict, op.mark, op.binInt1, 7, tensor(), shortText("a"), tensor(), op.setItems);
    const others = ["archive/old/data.pkl", "archive/data.pkl.old", "data.pkl"];
    const opened = await open(
      file(
        {},
        [{ content }],
        others.map((name) => ({ name, content: Uint8Array.of(1) })),
      ),
    );
    expect([...opened.names()]).to.deep.equal(["a"]);
  });

  it("takes a name of 1,000 letters, and 64 axes", async () => {
    const name = "a".repeat(1000);
    const ones = new Array<number>(64).fill(1);
    const named = pickle(
      op.emptyDict,
      [op.text, ...u32(1000)],
      name,
      tensor({ shape: ones, strides: ones }),
      op.setItem,
    );
    const opened = await open(file({}, [{ content: named }]));
    expect(opened.info(name).shape).to.deep.equal(ones);
  });

  it("reads a torch.Size, and whole numbers of it alone", async () => {
    const made = (args: readonly number[]) =>
      file({ a: tensor(), size: [...globalOf("torch", "Size"), ...args, op.reduce] });
    const opened = await open(made([...ints([2, 3]), op.tuple1]));
    expect((opened.root as Map<string, unknown>).get("size")).to.deep.equal([2, 3]);
    for (const args of [op.emptyTuple, [...ints([-1]), op.tuple1].flat()].map((part) => [part].flat())) {
      const error = await engineErrorOf(() => open(made(args)));
      expect(error.toLine()).to.match(/makes a torch\.Size of something other than a tuple/);
    }
  });

  it("looks once where a storage lies", async () => {
    const source = new WatchedSource(new MemorySource("x.pt", file({ a: tensor() })));
    const opened = await TorchFile.open(source);
    await opened.readFloat32("a");
    const before = source.reads.length;
    await opened.readFloat32("a");
    expect(source.reads.slice(before)).to.have.length(1);
  });

  it("takes views that repeat elements up to a MiB beyond twice the file, and not one element more", async () => {
    const sized = (count: number, padding: number): Uint8Array =>
      file({ a: tensor({ shape: [count], strides: [0] }) }, [], [{ name: "x", content: new Uint8Array(padding) }]);
    const padding = sized(0, 0).length % 2;
    const most = (2 * sized(0, padding).length + 2 ** 20) / 4;
    expect((await open(sized(most, padding))).info("a").shape).to.deep.equal([most]);
    const error = await engineErrorOf(() => open(sized(most + 1, padding)));
    expect([error.expected, error.actual]).to.deep.equal([`at most ${4 * most} bytes`, `${4 * most + 4} bytes`]);
  });

  it("reads at once a view of two milliards of rows without elements", async () => {
    const opened = await open(file({ a: tensor({ shape: [2 ** 31 - 1, 0], strides: [1, 1] }) }));
    expect([...(await opened.readFloat32("a"))]).to.deep.equal([]);
  });

  const refused: Record<string, [bytes: Uint8Array, message: RegExp]> = {
    "a file that begins with P": [Uint8Array.of(0x50, 0, 0), /^x\.pt: is not a torch checkpoint/],
    "a file that goes on with K": [Uint8Array.of(0, 0x4b, 0), /^x\.pt: is not a torch checkpoint/],
    "no dictionary": [file({}, [{ content: pickle(op.none) }]), /^x\.pt: holds no tensors .*got no dictionary\)/],
    "plain bytes without a dtype": [
      file({ a: tensor({ from: storage("0", 16, "storage.UntypedStorage") }) }),
      /makes a tensor without a dtype/,
    ],
    "an offset below 0": [file({ a: tensor({ offset: -1 }) }), /offset, size or stride is wrong/],
    "an offset of a half": [
      file({ a: tensor({ offset: [op.binFloat, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0] }) }),
      /offset, size or stride is wrong/,
    ],
    "an offset that is a text": [file({ a: tensor({ offset: shortText("0") }) }), /offset, size or stride is wrong/],
    "an extent below 0": [file({ a: tensor({ shape: [-1] }) }), /offset, size or stride is wrong/],
    "a parameter of something that is not a tensor": [
      file({ a: [...globalOf("torch._utils", "_rebuild_parameter"), op.none, op.tuple1, op.reduce] }),
      /makes a parameter of something that is not a tensor/,
    ],
    "a dictionary of another": [
      file({ a: [...globalOf("collections", "OrderedDict"), op.emptyList, op.tuple1, op.reduce] }),
      /makes a dictionary in an unknown way/,
    ],
    "a storage of another kind": [
      file({ a: tensor({ from: storageId({ kind: shortText("module") }) }) }),
      /names a storage in an unknown way/,
    ],
    "a storage without a class": [
      file({ a: tensor({ from: storageId({ type: [op.none] }) }) }),
      /names a storage in an unknown way/,
    ],
    "a storage of a number": [
      file({ a: tensor({ from: storageId({ key: [op.binInt1, 0] }) }) }),
      /names a storage in an unknown way/,
    ],
    "a storage of as many elements as a text says": [
      file({ a: tensor({ from: storageId({ count: shortText("4") }) }) }),
      /names a storage in an unknown way/,
    ],
    "a compressed storage of the same size": [file({ a: tensor() }, [{}, { method: 8 }]), /which is compressed/],
    "a storage whose sizes differ": [file({ a: tensor() }, [{}, { packedSize: 8 }]), /which is compressed/],
    "a file of before torch 1.6": [
      pickle(op.long1, 10, ...[0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
      /^x\.pt: is a torch checkpoint from before version 1\.6 .*load and save it again with a newer torch/,
    ],
    "another file": [new TextEncoder().encode("hello"), /^x\.pt: is not a torch checkpoint .*got something else/],
    "an empty file": [new Uint8Array(0), /^x\.pt: is not a torch checkpoint/],
    "a zip archive of something else": [
      zipBytes([{ name: "a.txt", content: Uint8Array.of(1) }]),
      /^x\.pt: is not a torch checkpoint .*expected one data\.pkl, got 0/,
    ],
    "two pickles": [
      file({ a: tensor() }, [], [{ name: "other/data.pkl", content: pickle(op.none) }]),
      /expected one data\.pkl, got 2/,
    ],
    "numbers of a big-endian machine": [
      file({ a: tensor() }, [], [{ name: "archive/byteorder", content: new TextEncoder().encode("big") }]),
      /another byte order .*expected little, got big/,
    ],
    "a pickle that is a bomb": [
      file({ a: tensor() }, [{ content: new Uint8Array(65 * 2 ** 20), deflated: true }]),
      /^x\.pt: archive\/data\.pkl: is larger than it may be/,
    ],
    "no tensors": [file({ a: [op.none] }), /^x\.pt: holds no tensors .*dictionary without tensors/],
    "a storage that is not there": [
      file({ a: tensor({ from: storage("1", 4) }) }),
      /^x\.pt: data\.pkl: the pickle names storage 1, which the archive does not hold/,
    ],
    "a storage of another size": [
      file({ a: tensor({ from: storage("0", 5) }) }),
      /names storage 0 of 20 bytes, which has 16/,
    ],
    "a compressed storage": [
      file({ a: tensor() }, [{}, { content: new Uint8Array(16), deflated: true }]),
      /names storage 0, which is compressed/,
    ],
    "a storage that reaches beyond the data of the archive": [
      file({ a: tensor({ shape: [8], from: storage("0", 8) }) }, [{}, { size: 32, packedSize: 32 }]),
      /^x\.pt: archive\/data\/0 reaches into the zip directory/,
    ],
    "a persistent id of another kind": [
      file({ a: tensor({ from: [...shortText("module"), op.persistentId] }) }),
      /names a storage in an unknown way/,
    ],
    "a tensor that ends after its storage": [
      file({ a: tensor({ offset: 3 }) }),
      /has a tensor that ends at element 4 of a storage of 4/,
    ],
    "a tensor of 2^62 elements": [
      file({ a: tensor({ shape: [2 ** 31 - 1, 2 ** 31 - 1], strides: [0, 0] }) }),
      /has tensors far larger than the file/,
    ],
    "more strides than extents": [file({ a: tensor({ strides: [1, 1] }) }), /offset, size or stride is wrong/],
    "a negative stride": [file({ a: tensor({ strides: [-1] }) }), /offset, size or stride is wrong/],
    "65 axes": [
      file({ a: tensor({ shape: new Array<number>(65).fill(1), strides: new Array<number>(65).fill(1) }) }),
      /offset, size or stride is wrong/,
    ],
    "a tensor of something that is not a storage": [
      file({ a: tensor({ from: [op.none] }) }),
      /makes a tensor without a storage/,
    ],
    "a name twice": [file({ "a._orig_mod.b": tensor(), "a.b": tensor() }), /^x\.pt: holds tensor a\.b twice/],
    "a name of 1,001 letters": [
      file({ ["a".repeat(200)]: tensor(), b: [] }, [
        { content: pickle(op.emptyDict, [op.text, ...u32(1001)], "a".repeat(1001), tensor(), op.setItem) },
      ]),
      /name of a tensor that is too long \(expected at most 1000 characters, got 1001\)/,
    ],
    "a command in the place of a tensor": [
      file({ a: [...globalOf("os", "system"), ...shortText("id"), op.tuple1, op.reduce] }),
      /^x\.pt: data\.pkl: the pickle asks for os\.system, which is not allowed/,
    ],
  };
  for (const [name, [bytes, message]] of Object.entries(refused))
    it(`refuses ${name}`, async () => {
      const error = await engineErrorOf(async () => {
        const opened = await open(bytes);
        for (const tensorName of opened.names()) await opened.readFloat32(tensorName);
      });
      expect(error).to.be.instanceOf(EngineError);
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(message);
    });

  it("closes a source that it refuses", async () => {
    let closed = false;
    const source = new MemorySource("x.pt", new Uint8Array(3));
    source.close = async () => void (closed = true);
    await engineErrorOf(() => TorchFile.open(source));
    expect(closed).to.equal(true);
  });
});
