import { expect } from "chai";
import { isObject, JsonFields } from "../../../engine/check/json_fields.ts";
import { readJsonFile, readTextFile } from "../../../checkpoint/json_file.ts";
import { MemorySource } from "../../../checkpoint/sources/memory.ts";
import { MemoryStore } from "../../../checkpoint/stores/memory.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { WatchedStore } from "../../support/files/watched_store.ts";

const fields = new JsonFields(
  {
    count: 3,
    zero: 0,
    below: -1,
    half: 0.5,
    large: 2 ** 53,
    text: "red",
    yes: true,
    nothing: null,
    list: [1, 2.5],
    empty: [],
    mixed: [1, "2"],
    digits: "5",
    nan: NaN,
    infinite: Infinity,
    endless: [1, Infinity],
    withZero: [1, 0],
  },
  "config.json: part",
);

describe("JsonFields", () => {
  it("gives what is there, and the fallback for what is not", () => {
    expect([fields.integer("count", 9), fields.integer("absent", 9)]).to.deep.equal([3, 9]);
    expect([fields.integer("zero", 9), fields.integer("below", 9, { min: -1 })]).to.deep.equal([0, -1]);
    expect(fields.integer("count", 9, { min: 3, max: 3 })).to.equal(3);
    expect([fields.positive("half", 9), fields.positive("absent", 9)]).to.deep.equal([0.5, 9]);
    expect([fields.boolean("yes", false), fields.boolean("absent", false)]).to.deep.equal([true, false]);
    expect(fields.string("text", "blue", ["red", "blue"])).to.equal("red");
    expect(fields.string("absent", "blue", ["red", "blue"])).to.equal("blue");
    expect([fields.numberOrNull("below", 9), fields.numberOrNull("absent", null)]).to.deep.equal([-1, null]);
    expect(fields.numberOrNull("nothing", 9)).to.equal(null);
    expect(fields.positiveList("list", [9])).to.deep.equal([1, 2.5]);
    expect(fields.positiveList("absent", [9])).to.deep.equal([9]);
    expect([fields.raw("text"), fields.raw("absent")]).to.deep.equal(["red", undefined]);
    expect([fields.has("nothing"), fields.has("absent")]).to.deep.equal([true, false]);
  });

  it("keeps what only files need, and takes null and NaN there for the fallback", () => {
    const kept = new JsonFields({ a: 0.5, b: false, none: null, nan: NaN, large: -Infinity }, "x");
    expect([kept.kept("a", 1), kept.kept("b", true), kept.kept("absent", 2)]).to.deep.equal([0.5, false, 2]);
    expect([kept.kept("none", true), kept.kept("nan", 3), kept.kept("large", 4)]).to.deep.equal([true, 3, 4]);
  });

  it("gives lists of their own", () => {
    const given = [1, 2];
    new JsonFields({ given }, "x").positiveList("given", []).push(3);
    expect(given).to.deep.equal([1, 2]);
  });

  const wrong: Record<string, [read: () => unknown, found: string]> = {
    "text as an integer": [() => fields.integer("text", 1), '"text" (expected an integer ≥ 0, got "red")'],
    "a fraction as an integer": [() => fields.integer("half", 1), '"half" (expected an integer ≥ 0, got 0.5)'],
    "an integer that is not exact": [() => fields.integer("large", 1), '"large" (expected an integer ≥ 0, got 90'],
    "an integer below": [() => fields.integer("zero", 1, { min: 1 }), '"zero" (expected an integer ≥ 1, got 0)'],
    "an integer above": [
      () => fields.integer("count", 1, { max: 2 }),
      '"count" (expected an integer from 0 to 2, got 3)',
    ],
    "no number as an integer": [() => fields.integer("nan", 1), '"nan" (expected an integer ≥ 0, got NaN)'],
    "digits as positive": [() => fields.positive("digits", 1), '"digits" (expected a number above 0, got "5")'],
    "infinity as positive": [
      () => fields.positive("infinite", 1),
      '"infinite" (expected a number above 0, got Infinity)',
    ],
    "infinity as a number or null": [() => fields.numberOrNull("infinite", 1), '"infinite" (expected a number or null'],
    "a list with infinity": [
      () => fields.positiveList("endless", [1]),
      '"endless" (expected a list of numbers above 0',
    ],
    "a list with zero": [() => fields.positiveList("withZero", [1]), '"withZero" (expected a list of numbers above 0'],
    "text as a number that is kept": [() => fields.kept("text", 1), '"text" (expected a number, got "red")'],
    "a number as a boolean that is kept": [() => fields.kept("zero", true), '"zero" (expected a boolean, got 0)'],
    "null as an integer": [() => fields.integer("nothing", 1), '"nothing" (expected an integer, got null)'],
    "zero as positive": [() => fields.positive("zero", 1), '"zero" (expected a number above 0, got 0)'],
    "null as positive": [() => fields.positive("nothing", 1), '"nothing" (expected a number, got null)'],
    "a number as a boolean": [() => fields.boolean("zero", true), '"zero" (expected true or false, got 0)'],
    "null as a boolean": [() => fields.boolean("nothing", true), '"nothing" (expected true or false, got null)'],
    "a string that is not allowed": [
      () => fields.string("text", "blue", ["blue", "green"]),
      '"text" (expected "blue" or "green", got "red")',
    ],
    "null as a string": [() => fields.string("nothing", "a", ["a"]), '"nothing" (expected a string, got null)'],
    "text as a number or null": [() => fields.numberOrNull("text", 1), '"text" (expected a number or null, got "red")'],
    "no list": [() => fields.positiveList("count", [1]), '"count" (expected a list of numbers above 0, got 3)'],
    "an empty list": [() => fields.positiveList("empty", [1]), '"empty" (expected a list of numbers above 0, got [])'],
    "a list with text": [() => fields.positiveList("mixed", [1]), '"mixed" (expected a list of numbers above 0, got'],
    "a list with a fraction": [
      () => fields.positiveList("list", [1], true),
      '"list" (expected a list of integers above 0, got [1,2.5])',
    ],
    "null as a list": [() => fields.positiveList("nothing", [1]), '"nothing" (expected a list, got null)'],
  };
  for (const [name, [read, found]] of Object.entries(wrong))
    it(`refuses ${name}`, async () => {
      const error = await engineErrorOf(read);
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.contain(`config.json: part: wrong value of ${found}`);
    });

  it("refuses anything but an object", async () => {
    for (const value of [null, [], "text", 1, undefined]) {
      const error = await engineErrorOf(() => new JsonFields(value, "config.json"));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(/^config\.json: is not a JSON object \(expected an object, got /);
      expect(isObject(value)).to.equal(false);
    }
  });
});

/** With its mark, as PowerShell writes it. */
function utf16(text: string, isLittle: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 + 2 * text.length));
  for (const [i, unit] of Array.from(`\ufeff${text}`, (char) => char.charCodeAt(0)).entries())
    view.setUint16(2 * i, unit, isLittle);
  return new Uint8Array(view.buffer);
}

describe("readTextFile and readJsonFile", () => {
  const store = (content: string | Uint8Array) => {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    return new WatchedStore(new MemoryStore(new Map([["x.json", bytes]]), "model"));
  };

  it("reads a file and closes it", async () => {
    for (const [content, value] of [
      ['{"é":[1]}', { é: [1] }],
      ['\ufeff{"a":1}', { a: 1 }],
      ["null", null],
      ['{"a":[NaN,-Infinity],"b":Infinity,"c":-1}', { a: [NaN, -Infinity], b: Infinity, c: -1 }],
      [
        String.raw`{"NaN":"NaN","a":"-Infinity \\","b\"NaN":["\"NaN, NaN\"",NaN],"__proto__x":null}`,
        { NaN: "NaN", a: "-Infinity \\", 'b"NaN': ['"NaN, NaN"', NaN], __proto__x: null },
      ],
      [String.raw`{"a":"\nb NaN","c":"\\ Infinity","d":NaN}`, { a: "\nb NaN", c: "\\ Infinity", d: NaN }],
      [utf16('{"é":1}', true), { é: 1 }],
      [utf16('{"é":1}', false), { é: 1 }],
    ] as const) {
      const files = store(content);
      expect(await readJsonFile(files, "x.json")).to.deep.equal(value);
      expect(files.stillOpen).to.deep.equal([]);
    }
    expect(await readTextFile(store("a\nb"), "x.json")).to.equal("a\nb");
  });

  it("has nothing where there is no file", async () => {
    expect(await readTextFile(store(""), "y.json")).to.equal(undefined);
    expect(await readJsonFile(store(""), "y.json")).to.equal(undefined);
  });

  it("names a file that is no JSON, on one line, and closes it", async () => {
    const ofPython = ["NaN NaN", "{NaN:1}", "[-NaN]", "[nan]", "[+Infinity]", "[NaN1]", '["NaN]', "[InfinityNaN]"];
    for (const content of [
      ...ofPython,
      "",
      "{",
      '{"a":1,}',
      '{\n\n"a":\r\u2028\x1b[2J x}',
      Uint8Array.of(0xff, 0xfe),
    ]) {
      const files = store(content);
      const error = await engineErrorOf(() => readJsonFile(files, "x.json"));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(/^model\/x\.json: is not valid JSON: .+; fetch the file again$/);
      expect(error.toLine()).to.not.match(/[\p{Cc}\u2028\u2029]/u);
      expect(files.stillOpen).to.deep.equal([]);
    }
  });

  it("names a file that is not text", async () => {
    for (const bytes of [Uint8Array.of(0x22, 0xe9, 0x22), Uint8Array.of(0xff, 0xfe, 0x00)]) {
      const error = await engineErrorOf(() => readJsonFile(store(bytes), "x.json"));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.equal("model/x.json: is not UTF-8 text; fetch the file again");
    }
  });

  it("takes a file of 64 MiB", async () => {
    const read = async (): Promise<Uint8Array<ArrayBuffer>> => Uint8Array.of(0x31);
    const source = { name: "x", size: 2 ** 26, read, close: () => Promise.resolve() };
    expect(await readJsonFile({ name: "model", open: () => Promise.resolve(source) }, "x.json")).to.equal(1);
  });

  it("refuses a file too large for text by its size, without reading it", async () => {
    const source = new MemorySource("model/x.json", new Uint8Array(1));
    Object.defineProperty(source, "size", { value: 2 ** 40 });
    const files = new WatchedStore({ name: "model", open: () => Promise.resolve(source) });
    const error = await engineErrorOf(() => readJsonFile(files, "x.json"));
    expect(error.code).to.equal("bad-input");
    expect(error.toLine()).to.match(/^model\/x\.json: is too large for a text file/);
    expect([files.opened[0].bytesRead, files.stillOpen]).to.deep.equal([0, []]);
  });
});
