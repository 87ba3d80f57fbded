import { expect } from "chai";
import { PickleGlobal, readPickle } from "../../../checkpoint/torch/pickle.ts";
import { globalOf, op, pickle, shortText, u32 } from "../../support/files/pickle_bytes.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const globals = new Map(
  [
    new PickleGlobal("builtins.pair", (args) => {
      if (args.length !== 2) throw new Error("makes a pair of other than two");
      return { pair: args };
    }),
    new PickleGlobal("torch.FloatStorage"),
  ].map((global) => [global.name, global]),
);
const read = (bytes: Uint8Array): unknown =>
  readPickle(bytes, "x.pt: data.pkl", { globals, persistentLoad: (id) => ({ id }) });

describe("readPickle", () => {
  const values: Record<string, [bytes: Uint8Array, value: unknown]> = {
    "None, True and False": [pickle(op.none, op.newTrue, op.newFalse, op.tuple3), [null, true, false]],
    "a byte": [pickle(op.binInt1, 255), 255],
    "two bytes": [pickle(op.binInt2, 0x34, 0x12), 0x1234],
    "a negative integer": [pickle(op.binInt, 0xfe, 0xff, 0xff, 0xff), -2],
    "a long of no bytes": [pickle(op.long1, 0), 0],
    "a negative long": [pickle(op.long1, 2, 0x00, 0x80), -32768],
    "a long beyond 2^53": [pickle(op.long1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1), 2n ** 64n],
    "a long of 64 bytes": [pickle(op.long1, 64, 5, ...new Array<number>(63).fill(0)), 5],
    "a long with a length of 4 bytes": [pickle(op.long4, ...u32(1), 5), 5],
    "a float": [pickle(op.binFloat, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0), 1.5],
    "a text": [pickle(shortText("é")), "é"],
    "a text of 4 bytes of length": [pickle(op.text, u32(2), "ab"), "ab"],
    "a text of 8 bytes of length": [pickle(op.text8, u32(2), u32(0), "ab"), "ab"],
    bytes: [pickle(op.shortBytes, 2, 1, 2), Uint8Array.of(1, 2)],
    "bytes of 4 bytes of length": [pickle(op.bytes, u32(2), 1, 2), Uint8Array.of(1, 2)],
    "bytes of 8 bytes of length": [pickle(op.bytes8, u32(2), u32(0), 1, 2), Uint8Array.of(1, 2)],
    "an array of bytes": [pickle(op.byteArray8, u32(2), u32(0), 1, 2), Uint8Array.of(1, 2)],
    "a list": [
      pickle(op.emptyList, op.binInt1, 1, op.append, op.mark, op.binInt1, 2, op.binInt1, 3, op.appends),
      [1, 2, 3],
    ],
    "a tuple": [pickle(op.mark, op.binInt1, 1, op.none, op.tuple), [1, null]],
    "a dictionary": [pickle(op.emptyDict, shortText("a"), op.binInt1, 1, op.setItem), new Map([["a", 1]])],
    "a dictionary of many": [
      pickle(op.emptyDict, op.mark, shortText("__proto__"), op.none, op.binInt1, 1, op.none, op.setItems),
      new Map<unknown, unknown>([
        ["__proto__", null],
        [1, null],
      ]),
    ],
    sets: [
      pickle(op.emptySet, op.mark, op.binInt1, 1, op.addItems, op.mark, op.binInt1, 2, op.frozenSet, op.tuple2),
      [new Set([1]), new Set([2])],
    ],
    "a value stored and taken again": [
      pickle(shortText("a"), op.binPut, 7, op.binGet, 7, op.longBinGet, u32(7), op.tuple3),
      ["a", "a", "a"],
    ],
    "values numbered as they come": [pickle(shortText("a"), op.memoize, op.pop, op.binGet, 0), "a"],
    "what is taken off again": [pickle(op.newTrue, op.mark, op.none, op.popMark, op.dup, op.tuple2), [true, true]],
    "a persistent id": [pickle(shortText("key"), op.persistentId), { id: "key" }],
    "an allowed call": [
      pickle(globalOf("builtins", "pair"), op.binInt1, 1, op.binInt1, 2, op.tuple2, op.reduce),
      { pair: [1, 2] },
    ],
    "an allowed name from the stack": [
      pickle(shortText("torch"), shortText("FloatStorage"), op.stackGlobal),
      globals.get("torch.FloatStorage"),
    ],
    "a dictionary with a state that nothing reads": [
      pickle(op.emptyDict, op.emptyDict, shortText("_metadata"), op.none, op.setItem, op.build),
      new Map(),
    ],
  };
  for (const [name, [bytes, value]] of Object.entries(values))
    it(`reads ${name}`, () => expect(read(bytes)).to.deep.equal(value));

  it("reads a list that holds itself", () => {
    const list = read(pickle(op.emptyList, op.binPut, 0, op.binGet, 0, op.append)) as unknown[];
    expect(list[0]).to.equal(list);
  });
});

describe("readPickle refuses", () => {
  const calls: Record<string, [module: string, name: string]> = {
    "os.system": ["os", "system"],
    "posix.system": ["posix", "system"],
    "builtins.eval": ["builtins", "eval"],
    "a name of JavaScript's": ["constructor", "constructor"],
    "torch's own loader": ["torch.serialization", "load"],
  };
  for (const [name, [module, global]] of Object.entries(calls))
    it(`${name}, by its name or from the stack, and says that nothing was executed`, async () => {
      for (const naming of [globalOf(module, global), [...shortText(module), ...shortText(global), op.stackGlobal]]) {
        const error = await engineErrorOf(() =>
          read(pickle(naming, shortText("touch /tmp/pwned"), op.tuple1, op.reduce)),
        );
        expect(error.code).to.equal("bad-input");
        expect(error.toLine()).to.equal(
          `x.pt: data.pkl: the pickle asks for ${module}.${global}, which is not allowed (expected tensors and plain ` +
            `values, got the name of a Python function or class at byte ${naming[0] === op.global ? 2 : naming.length + 1}` +
            "); nothing of it was executed; take the checkpoint from a source that you trust",
        );
      }
    });

  /** Pairs of operations that come to nothing. */
  const pairs = (count: number): number[] => Array.from({ length: 2 * count }, (_, i) => (i % 2 ? op.pop : op.none));
  it("500,001 operations, and not 500,000", () => {
    expect(read(pickle(pairs(249_999), op.none))).to.equal(null);
  });

  const deep = (count: number): number[] => Array.from({ length: count }, () => op.emptyList);
  const refused: Record<string, [bytes: Uint8Array, message: RegExp]> = {
    "an empty file": [new Uint8Array(0), /ends too early \(at byte 0\)/],
    "another file": [new TextEncoder().encode("PK\x03\x04"), /is not a pickle of protocol 2 or later/],
    "protocol 1": [Uint8Array.of(0x80, 1, op.none, op.stop), /unknown pickle protocol 1/],
    "protocol 6": [Uint8Array.of(0x80, 6, op.none, op.stop), /unknown pickle protocol 6/],
    "a pickle without an end": [Uint8Array.of(0x80, 2, op.none), /ends too early/],
    "a pickle of nothing": [pickle(), /takes more values than it has \(at byte 2\)/],
    "an operation that torch.save never writes": [pickle(0x69), /the operation 0x69, which torch\.save never writes/],
    "an operation that does not exist": [pickle(0xff), /the operation 0xff/],
    "a text longer than the file": [pickle(op.text, u32(0xffffffff)), /ends too early/],
    "a text of 2^63 bytes": [pickle(op.text8, u32(0), u32(0x80000000)), /ends too early/],
    "a text that is not UTF-8": [pickle(op.shortText, 1, 0xff), /text that is not UTF-8/],
    "bytes longer than the file": [pickle(op.bytes8, u32(0xffffffff), u32(0xffff)), /ends too early/],
    "a frame longer than the file": [pickle(op.frame, u32(0), u32(1), op.none), /ends too early/],
    "an integer of 65 bytes": [pickle(op.long1, 65, ...new Array<number>(65).fill(1)), /integer of 65 bytes/],
    "an integer of 2 GB": [pickle(op.long4, u32(0x7fffffff)), /integer of 2147483647 bytes/],
    "a value that was not stored": [pickle(op.binGet, 3), /asks for value 3, which it has not stored/],
    "a tuple without its values": [pickle(op.none, op.tuple2), /takes more values than it has/],
    "a list whose begin is missing": [pickle(op.none, op.tuple), /ends a list that was not begun/],
    "a value from below a mark": [pickle(op.none, op.mark, op.pop), /takes more values than it has/],
    "a value from below a mark, with others beneath": [pickle(op.none, op.none, op.mark, op.pop), /takes more values/],
    "a tuple from below a mark": [pickle(op.none, op.none, op.mark, op.none, op.tuple2, op.none), /takes more values/],
    "an item for something that is not a list": [
      pickle(op.none, op.none, op.append),
      /appends to something that is not a list/,
    ],
    "an item for something that is not a dictionary": [
      pickle(op.emptyList, op.none, op.none, op.setItem),
      /sets items of something that is not a dictionary/,
    ],
    "a key without a value": [pickle(op.emptyDict, op.mark, op.none, op.setItems), /a key without a value/],
    "an item for something that is not a set": [
      pickle(op.none, op.mark, op.addItems),
      /adds to something that is not a set/,
    ],
    "a call of something that is not a function": [
      pickle(op.none, op.emptyTuple, op.reduce),
      /calls something that is not a function/,
    ],
    "a call of a class": [
      pickle(globalOf("torch", "FloatStorage"), op.emptyTuple, op.reduce),
      /calls something that is not a function/,
    ],
    "a call without arguments": [
      pickle(globalOf("builtins", "pair"), op.none, op.reduce),
      /calls builtins\.pair without a tuple of arguments/,
    ],
    "a call with wrong arguments": [
      pickle(globalOf("builtins", "pair"), op.emptyTuple, op.reduce),
      /the pickle makes a pair of other than two \(at byte 18\)/,
    ],
    "a state for a number": [pickle(op.none, op.emptyDict, op.build), /gives a state to something that has none/],
    "a name from numbers": [pickle(op.none, op.none, op.stackGlobal), /names a global by something that is not text/],
    "a name of a number": [
      pickle(shortText("torch"), op.none, op.stackGlobal),
      /names a global by something that is not text/,
    ],
    "a module of a number": [
      pickle(op.none, shortText("size"), op.stackGlobal),
      /names a global by something that is not text/,
    ],
    "a name without its end": [Uint8Array.of(0x80, 2, op.global, 0x6f, 0x73), /ends too early/],
    "an operation too many": [pickle(pairs(249_999), op.none, op.dup), /more than 500000 operations/],
    "a million lists": [pickle(deep(1_000_000)), /more than 500000 operations, too many for a checkpoint/],
  };
  for (const [name, [bytes, message]] of Object.entries(refused))
    it(name, async () => {
      const error = await engineErrorOf(() => read(bytes));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(/^x\.pt: data\.pkl: the pickle /);
      expect(error.toLine()).to.match(message);
    });
});

describe("readPickle with little memory", () => {
  it("reads lists nested 100,000 deep, without a stack of its own", () => {
    const count = 100_000;
    const nested = pickle(
      Array.from({ length: count }, () => op.emptyList),
      Array.from({ length: count - 1 }, () => op.append),
    );
    let list = read(nested) as unknown[];
    let depth = 0;
    for (; list.length > 0; depth++) list = list[0] as unknown[];
    expect(depth).to.equal(count - 1);
  });

  it("does not unfold a memo bomb: each list ten times in the next one", () => {
    const levels = 30;
    const grow = Array.from({ length: levels }, (_, i) => [
      ...[op.emptyList, op.mark, ...Array.from({ length: 10 }, () => [op.binGet, i]).flat(), op.appends],
      ...[op.binPut, i + 1],
    ]).flat();
    let list = read(pickle(op.emptyList, op.binPut, 0, grow)) as unknown[];
    for (let i = 0; i < levels; i++) {
      expect(list.length).to.equal(10);
      list = list[9] as unknown[];
    }
    expect(list).to.deep.equal([]);
  });
});
