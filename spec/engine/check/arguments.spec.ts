import { expect } from "chai";
import {
  argumentsOf,
  describe as inWords,
  noneOr,
  nullOr,
  readBoolean,
  readFunction,
  readInteger,
  readNumber,
  readOneOf,
  readSignal,
  readString,
  refuseMore,
  wrongArgument,
} from "../../../engine/check/arguments.ts";
import { EngineError } from "../../../engine/errors.ts";

/** What was refused, on its line; undefined: nothing. */
function refusal(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    expect(error).instanceOf(EngineError).with.property("code", "usage");
    return (error as EngineError).toLine();
  }
}

describe("the schema of a call", () => {
  const read = argumentsOf(
    "speak",
    { speed: readInteger(1, 9), tone: nullOr(readString), loud: noneOr(readBoolean) },
    {
      required: ["speed"],
      aliases: { tempo: "speed" },
      unsupported: { beams: [[1, null]], force: [[false], "give speed"] },
      usage: "speak({ speed: 1 })",
    },
  );

  it("reads what is given by name or alias, and leaves out what is undefined or none", () => {
    expect(read({ tempo: 3n, tone: null, loud: null })).deep.equal({ speed: 3, tone: null });
    expect(read({ speed: 2, tone: undefined, loud: true, unknown: undefined })).deep.equal({ speed: 2, loud: true });
    expect(argumentsOf("stop", { now: readBoolean })(undefined)).deep.equal({});
    expect(argumentsOf("stop", { now: readBoolean })(null)).deep.equal({});
  });

  it("takes what changes nothing of names that it does not have", () => {
    expect(read({ speed: 1, beams: 1, force: false })).deep.equal({ speed: 1 });
    expect(read({ speed: 1, beams: null })).deep.equal({ speed: 1 });
  });

  for (const [name, given, line] of [
    ["no object", 5, "speak: takes its arguments by name, in one object, and got 5; speak({ speed: 1 })"],
    ["a list", [1], "speak: takes its arguments by name, in one object, and got a list; speak({ speed: 1 })"],
    ["a promise", Promise.resolve({ speed: 1 }), /and got Promise/],
    ["what is missing", { loud: true }, "speed: is missing from the arguments of speak; speak({ speed: 1 })"],
    ["what is missing, as nothing is given", undefined, /^speed: is missing/],
    ["a misspelt name", { sped: 1 }, 'sped: is not an argument of speak; did you mean "speed"?'],
    ["a misspelt alias", { speed: 1, tempoo: 1 }, 'tempoo: is not an argument of speak; did you mean "tempo"?'],
    ["what is given twice", { speed: 1, tempo: 2 }, /^tempo: is given twice: it is another name of speed/],
    [
      "what it does not have",
      { speed: 1, beams: 4 },
      /^beams: 4 is not supported; leave it out: speak does not have it/,
    ],
    ["what it does not have, with advice", { force: true }, "force: true is not supported; give speed"],
    ["a wrong value, by the name given", { tempo: 10 }, "tempo: wrong value (expected an integer from 1 to 9, got 10)"],
    ["a name of every object", { speed: 1, toString: 1 }, /^toString: is not an argument/],
  ] as const)
    it(`refuses ${name}`, () => {
      const actual = refusal(() => read(given));
      if (typeof line === "string") expect(actual).equal(line);
      else expect(actual).match(line);
    });

  it("takes objects without a prototype and of another frame's prototype", () => {
    const other = Object.create(null) as object;
    for (const prototype of [null, other])
      expect(read(Object.assign(Object.create(prototype) as object, { speed: 1 }))).deep.equal({ speed: 1 });
    class Own {
      speed = 1;
    }
    expect(refusal(() => read(new Own()))).match(/and got Own/);
  });

  it("refuses further arguments, where they are something", () => {
    expect(refusal(() => refuseMore("speak", [], "x"))).equal(undefined);
    expect(refusal(() => refuseMore("speak", [undefined], "x"))).equal(undefined);
    expect(refusal(() => refuseMore("speak", [undefined, { a: 1 }], "give one"))).equal(
      "speak: takes no further argument, and got an object; give one",
    );
  });
});

describe("a value in few words", () => {
  class Tensor {}
  for (const [value, words] of [
    [undefined, "nothing"],
    [null, "null"],
    [5, "5"],
    [NaN, "NaN"],
    [true, "true"],
    [12n, "12n"],
    ["a\n", '"a\\n"'],
    ["x".repeat(60), `"${"x".repeat(60)}"`],
    ["x".repeat(61), `"${"x".repeat(60)}…"`],
    [() => 1, "a function"],
    [Symbol("a"), "a symbol"],
    [[], "an empty list"],
    [[1, 2], "a list"],
    [{ a: 1 }, "an object"],
    [new Tensor(), "Tensor"],
    [Int8Array.of(1), "Int8Array"],
    [Object.create(Object.create(Object.create(null) as object) as object), "an object"],
  ] as const)
    it(words, () => expect(inWords(value)).equal(words));
});

describe("readers", () => {
  const values = { zero: 0, one: 1, half: 0.5, big: 10n, huge: 2n ** 60n, text: "a", empty: "", none: null, yes: true };
  const controller = new AbortController();
  for (const [name, read, taken] of [
    ["a boolean", readBoolean, { yes: true }],
    ["a string", readString, { text: "a" }],
    ["an integer", readInteger(1), { one: 1, big: 10 }],
    ["an integer in a range", readInteger(0, 9), { zero: 0, one: 1 }],
    ["an integer up to the last of a range", readInteger(0, 10), { zero: 0, one: 1, big: 10 }],
    ["a number", readNumber("a number below 1", (value) => value < 1), { zero: 0, half: 0.5 }],
    ["one of some", readOneOf("a", "b"), { text: "a" }],
    ["none or", noneOr(readBoolean), { none: undefined, yes: true }],
    ["null or", nullOr(readBoolean), { none: null, yes: true }],
    ["a function", readFunction(), { none: undefined }],
    ["a signal", readSignal, { none: undefined }],
  ] as const)
    it(name, () => {
      for (const [key, value] of Object.entries(values))
        if (key in taken) expect(read(value, "x")).equal((taken as Record<string, unknown>)[key]);
        else
          expect(
            refusal(() => read(value, "x")),
            key,
          ).match(/^x: wrong value \(expected /);
    });

  it("say what they expect", () => {
    for (const [read, expected] of [
      [readBoolean, "true or false"],
      [readInteger(2), "an integer ≥ 2"],
      [readInteger(2, 7), "an integer from 2 to 7"],
      [readOneOf("a", "b"), '"a" or "b"'],
    ] as const)
      expect(refusal(() => read(-1.5, "x"))).equal(`x: wrong value (expected ${expected}, got -1.5)`);
    expect(refusal(() => readNumber("a number", () => true)(Infinity, "x"))).equal(
      "x: wrong value (expected a number, got Infinity)",
    );
    expect(wrongArgument("x", "a list", 1, "give one").toLine()).equal(
      "x: wrong value (expected a list, got 1); give one",
    );
  });

  it("take functions and signals", () => {
    const call = (): void => undefined;
    expect(readFunction()(call, "x")).equal(call);
    expect(readSignal(controller.signal, "x")).equal(controller.signal);
    expect(refusal(() => readSignal({ aborted: false }, "x"))).match(/expected an AbortSignal/);
    expect(refusal(() => readSignal({ addEventListener: call }, "x"))).match(/expected an AbortSignal/);
  });
});
