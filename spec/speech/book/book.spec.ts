import { expect } from "chai";
import { NdArray } from "../../../engine/ndarray.ts";
import { join } from "../../../audio/encode/stream.ts";
import { decode_wav } from "../../../audio/wav_reader.ts";
import { chaptersOf, fileNameOf } from "../../../speech/book/chapters.ts";
import { writeBook, type BookOutput } from "../../../speech/book/outputs.ts";
import { PieceFiles, type StoredPiece } from "../../../speech/book/pieces.ts";
import {
  makeBookPlan,
  readBookPlan,
  requireSameBook,
  writeBookPlan,
  type BookParts,
  type BookPlan,
} from "../../../speech/book/plan.ts";
import type { BookStore } from "../../../speech/book/store.ts";
import { planSpeech } from "../../../speech/plan.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const rate = 24000;
const settings = {
  version: "1",
  checkpoint: "c",
  dtype: "f16",
  seed: "7",
  retries: 2,
  takes: 1,
  kwargs: { temperature: 0.7 },
};

class MemoryStore implements BookStore {
  readonly name = "folder";
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  /** The most bytes that were given at once. */
  largest = 0;
  async read(file: string) {
    return this.files.get(file);
  }
  async write(file: string, content: Uint8Array | AsyncIterable<Uint8Array>) {
    const parts: Uint8Array[] = [];
    for await (const part of content instanceof Uint8Array ? [content] : content) {
      this.largest = Math.max(this.largest, part.length);
      parts.push(part.slice());
    }
    this.files.set(file, join(parts));
  }
  async create(file: string, content: Uint8Array) {
    if (this.files.has(file)) return false;
    await this.write(file, content);
    return true;
  }
  async remove(file: string) {
    this.files.delete(file);
  }
  text(file: string): string {
    return new TextDecoder().decode(this.files.get(file));
  }
}

const partsOf = (text: string, other: Partial<BookParts> = {}): BookParts => {
  const speech = planSpeech(text, { goal: 1 });
  return {
    ...{ file: "a.txt", source: text, title: "A", author: null, settings, voice: null, voices: new Map() },
    ...speech,
    ...other,
  };
};
const voice = (id: number) => {
  const ids = (...shape: number[]) => new NdArray(new Int32Array(shape.reduce((a, b) => a * b)).fill(id), shape);
  return { semantic_prompt: ids(3), coarse_prompt: ids(2, 2), fine_prompt: ids(8, 2) };
};
const keysOf = ({ pieces }: BookPlan): string[] => pieces.map(({ key }) => key);
const text = "The first sentence is here.\n\nThe second sentence is here.\n\nThe third sentence is here.";

describe("the plan of a book", () => {
  it("has a key for each piece that follows from text, voice and settings", async () => {
    const plan = await makeBookPlan(partsOf(text));
    expect(new Set(keysOf(plan)).size).equal(3);
    expect(keysOf(await makeBookPlan(partsOf(text)))).deep.equal(keysOf(plan));
    const changes: Partial<BookParts>[] = [
      ...Object.entries({
        version: "2",
        checkpoint: "d",
        dtype: "f32",
        seed: "8",
        retries: 1,
        takes: 2,
        kwargs: {},
      }).map(([name, value]) => ({
        settings: { ...settings, [name]: value },
      })),
      { voice: { name: "v", tokens: voice(1) } },
      { voice: { name: "v", tokens: voice(2) } },
    ];
    const all = [plan];
    for (const change of changes) all.push(await makeBookPlan(partsOf(text, change)));
    expect(new Set(all.flatMap(keysOf)).size, "each change gives other keys").equal(3 * all.length);
    const named = await makeBookPlan(partsOf(text, { voice: { name: "w", tokens: voice(1) } }));
    expect(keysOf(named), "a voice is its tokens, not its name").deep.equal(keysOf(all.at(-2)!));
  });

  it("changes one key where one sentence changes, also the one that made the voice up", async () => {
    const old = await makeBookPlan(partsOf(text));
    for (const [i, word] of ["first", "second", "third"].entries()) {
      const plan = await makeBookPlan(partsOf(text.replace(word, "other")), old);
      expect(keysOf(plan).map((key, piece) => key === keysOf(old)[piece])).deep.equal(
        [0, 1, 2].map((piece) => piece !== i),
      );
      expect(plan.voice.madeFor).equal("The first sentence is here.");
    }
  });

  it("is stored, and refuses a run about something else in one line", async () => {
    const store = new MemoryStore();
    expect(await readBookPlan(store)).equal(undefined);
    const plan = await makeBookPlan(partsOf(text));
    expect(await writeBookPlan(store, plan, true)).equal(true);
    expect(await writeBookPlan(store, plan, true)).equal(false);
    expect(await readBookPlan(store)).deep.equal(JSON.parse(JSON.stringify(plan)));
    const run = { file: "a.txt", source: text, settings: { ...settings, seed: undefined }, voice: { name: null } };
    requireSameBook(plan, run, "folder");
    requireSameBook(plan, { ...run, source: "changed" }, "folder");
    requireSameBook(plan, { ...run, file: "renamed.txt" }, "folder");
    const others: [object, RegExp][] = [
      [{ file: "b.txt", source: "other" }, /another file.*expected a\.txt, got b\.txt/],
      [{ settings: { ...settings, version: "2" } }, /another version/],
      [{ settings: { ...settings, seed: "8" } }, /another seed/],
      [{ settings: { ...settings, checkpoint: "d" } }, /another checkpoint/],
      [{ settings: { ...settings, kwargs: {} } }, /another sampling/],
      [{ voice: { name: "v", id: "1" } }, /another voice.*expected none, got v/],
    ];
    for (const [other, says] of others) {
      const error = await engineErrorOf(() => requireSameBook(plan, { ...run, ...other }, "folder"));
      expect(error.message)
        .match(says)
        .match(/^folder: holds a book of .*another folder with -o$/);
    }
    for (const [bytes, says] of [
      ["{", /not valid JSON/],
      ['{"version":2}', /plan of another version/],
    ] as const) {
      await store.write("plan.json", new TextEncoder().encode(bytes));
      expect((await engineErrorOf(() => readBookPlan(store))).message).match(says);
    }
  });
});

describe("pieces of a book", () => {
  it("come back sample for sample; damaged or half-written ones are not there", async () => {
    const store = new MemoryStore();
    const files = new PieceFiles(store, rate);
    const [piece] = (await makeBookPlan(partsOf(text))).pieces;
    const notices: string[] = [];
    const find = async () => await files.find(piece, (line) => void notices.push(line));
    expect(await find()).equal(undefined);
    const audio = Float32Array.from([0.1, -1.5, 1e-9]);
    const stored = await files.add(piece, audio, { flags: ["quiet"], attempts: 2, seed: "9" });
    expect(await find()).include({ text: piece.text, attempts: 2, seed: "9", samples: 3 });
    expect(stored.samples).equal(3);
    expect([...(await files.audio(piece))]).deep.equal([...audio]);
    expect(notices).deep.equal([]);
    const [sound, facts] = [`pieces/${piece.key}.wav`, `pieces/${piece.key}.json`];
    const [wav, json] = [store.files.get(sound)!, store.files.get(facts)!];
    store.files.set(sound, wav.slice(0, -1));
    expect(await find()).equal(undefined);
    store.files.delete(sound);
    expect(await find()).equal(undefined);
    expect(notices).deep.equal([
      `folder/${sound} is damaged: the piece is spoken again`,
      `folder/${sound} is missing: the piece is spoken again`,
    ]);
    store.files.set(sound, wav);
    store.files.set(facts, json.slice(0, 9));
    expect(await find()).equal(undefined);
  });
});

it("pieces that are stored stay: what another machine says late changes nothing", async () => {
  const store = new MemoryStore();
  const files = new PieceFiles(store, rate);
  const [piece] = (await makeBookPlan(partsOf(text))).pieces;
  const first = await files.add(piece, Float32Array.of(0.5, 0.25), { flags: [], attempts: 1, seed: "7" });
  const late = await files.add(piece, Float32Array.of(0.1), { flags: ["quiet"], attempts: 2, seed: "8" });
  expect(late).deep.include(first);
  expect([...(await files.audio(piece))]).deep.equal([0.5, 0.25]);
});

describe("the files of a book", () => {
  /** Half a second of a tone for each piece, as loud as its number says. */
  async function bookOf(source: string, other: Partial<BookOutput> = {}) {
    const store = (other.store as MemoryStore | undefined) ?? new MemoryStore();
    const plan = await makeBookPlan(partsOf(source));
    const files = new PieceFiles(store, rate);
    const stored: StoredPiece[] = [];
    for (const [i, piece] of plan.pieces.entries()) {
      const tone = Float32Array.from({ length: rate / 2 }, (_, t) => (0.2 + i / 10) * Math.cos(t / 20));
      stored.push(await files.add(piece, tone, { flags: i === 1 ? ["too-long"] : [], attempts: 1 + i, seed: "7" }));
    }
    const notices: string[] = [];
    const notice = (line: string) => void notices.push(line);
    const output: BookOutput = {
      plan,
      store,
      files,
      stored,
      rate,
      format: "wav",
      checkpoint: "nano",
      notice,
      ...other,
    };
    return { store, notices, report: await writeBook(output), output };
  }
  const chapters =
    'The preface is here.\n\n[chapter:One: "a/b"] The first chapter.\n\n[chapter:Two] The second chapter. [pause:1s]';

  it("are the whole and each chapter, as sound and captions, with a report", async () => {
    const { store, report, notices } = await bookOf(chapters);
    expect(notices).deep.equal([]);
    expect([...store.files.keys()].filter((name) => !name.startsWith("pieces/")).sort()).deep.equal(
      [...report.files, "report.json"].sort(),
    );
    expect(report.files.filter((name) => name.endsWith(".wav"))).deep.equal([
      ...["chapters/01 A.wav", "chapters/02 One a b.wav", "chapters/03 Two.wav", "A.wav"],
    ]);
    const samples = (name: string) => decode_wav(store.files.get(name)!, name).audio.data;
    const whole = samples("A.wav");
    // Three pieces of 0.5 s, two gaps between chapters of 2 s, and a pause of 1 s at the end.
    expect(whole.length).equal(rate * (3 * 0.5 + 2 * 2 + 1));
    expect(report.seconds).equal(whole.length / rate);
    expect(report.pieces.map(({ start, end }) => [start, end])).deep.equal([
      ...[
        [0, 0.5],
        [2.5, 3],
        [5, 5.5],
      ],
    ]);
    for (const [i, { start, end }] of report.pieces.entries()) {
      const name = report.files.filter((file) => /^chapters.*wav$/.test(file))[i];
      const own = samples(name);
      expect(own.slice(0, rate / 2)).deep.equal(whole.slice(start * rate, end * rate));
      expect(own.length).equal(i === 2 ? rate * 1.5 : rate / 2);
    }
    expect(report).include({ retries: 3, flagged: 1, overruns: 0 });
    expect(store.text("chapters.ffmetadata")).equal(
      ";FFMETADATA1\ntitle=A\n" +
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2500\ntitle=A\n" +
        '[CHAPTER]\nTIMEBASE=1/1000\nSTART=2500\nEND=5000\ntitle=One: "a/b"\n' +
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=5000\nEND=6500\ntitle=Two\n",
    );
    expect(store.text("A.srt")).match(/^2\n00:00:02,500 --> 00:00:03,000\nThe first chapter\.$/m);
    expect(store.text("chapters/02 One a b.vtt")).match(/^00:00:00\.000 --> 00:00:00\.500\nThe first chapter\.$/m);
  });

  it("have silence for a piece that was lost, which the report names", async () => {
    const whole = await bookOf(chapters);
    const store = new MemoryStore();
    const files = new PieceFiles(store, rate);
    const { plan } = whole.output;
    const stored: StoredPiece[] = [];
    for (const [i, piece] of plan.pieces.entries())
      if (i === 1) stored.push(files.lose(piece, "no worker could"));
      else
        stored.push(
          await files.add(piece, new Float32Array(rate / 2).fill(0.3), { flags: [], attempts: 1, seed: "7" }),
        );
    const report = await writeBook({ ...whole.output, store, files, stored });
    expect(report).include({ lost: 1, retries: 0, flagged: 0 });
    expect(report.pieces.map(({ lost }) => lost)).deep.equal([undefined, "no worker could", undefined]);
    const { start, end } = report.pieces[1];
    expect(end - start).below(0.01);
    expect(report.files).include("A.wav");
    expect(whole.report).not.property("lost");
  });

  it("are written a piece at a time", async () => {
    const { store } = await bookOf(Array.from({ length: 9 }, (_, i) => `Sentence number ${i} is here.`).join("\n\n"));
    const { largest } = store;
    expect(largest).below(store.files.get("A.wav")!.length / 4);
  });

  it("are the same bytes for the same pieces, and have the length in their headers", async () => {
    for (const format of ["wav", "flac", "mp3", "opus"] as const) {
      const [one, two] = [await bookOf(text, { format }), await bookOf(text, { format })];
      expect([...one.store.files].map(([name, bytes]) => [name, [...bytes]])).deep.equal(
        [...two.store.files].map(([name, bytes]) => [name, [...bytes]]),
      );
      if (format !== "flac") continue;
      const streamInfo = new DataView(one.store.files.get("A.flac")!.buffer, 8);
      expect(streamInfo.getUint32(14)).equal(Math.round(one.report.seconds * rate));
    }
  });

  it("of an earlier state are removed, and no others", async () => {
    const { store } = await bookOf(chapters);
    await store.write("chapters/mine.txt", new Uint8Array(1));
    await bookOf(text, { store });
    const names = [...store.files.keys()].filter((name) => name.startsWith("chapters/"));
    expect(names).deep.equal(["chapters/mine.txt"]);
  });

  it("place captions at their times, and tell of those that last too long", async () => {
    const { output } = await bookOf(text);
    const cues: [number, number][] = [
      [1, 1.2],
      [1.3, 3],
      [4, 5],
    ];
    const plan = { ...output.plan, pieces: output.plan.pieces.map((piece, i) => ({ ...piece, cue: cues[i] })) };
    const { pieces, overruns } = await writeBook({ ...output, plan });
    expect(pieces.map(({ start, end }) => [start, end])).deep.equal([
      ...[
        [1, 1.5],
        [1.5, 2],
        [4, 4.5],
      ],
    ]);
    expect(overruns).equal(1);
    expect([pieces[0].overrun, pieces[1].late].map((value) => value!.toFixed(2))).deep.equal(["0.30", "0.20"]);
    expect([pieces[0].late, pieces[1].overrun, pieces[2].late]).deep.equal([undefined, undefined, undefined]);
  });

  it("stop where they are told to", async () => {
    const { output, store } = await bookOf(text);
    store.files.delete("A.wav");
    expect((await engineErrorOf(() => writeBook({ ...output, signal: AbortSignal.abort() }))).code).equal("aborted");
  });

  it("have names that every system takes", () => {
    const names = ["a/b\\c:d", "  .hidden. ", "\u0000\n", "CON?", "ü".repeat(99)].map(fileNameOf);
    expect(names).deep.equal(["a b c d", "hidden", "untitled", "CON", "ü".repeat(50)]);
    const marks = Array.from({ length: 120 }, (_, piece) => ({ title: "x", piece }));
    const pieces = marks.map(() => ({
      text: "",
      source: [0, 0] as [number, number],
      voice: null,
      gap: 0,
      begins: false,
      key: "",
    }));
    expect(chaptersOf({ title: "t", pieces, chapters: marks })[8].file).equal("chapters/009 x");
    expect(
      chaptersOf({
        title: "t",
        pieces: pieces.slice(0, 2),
        chapters: [
          { title: "x", piece: 0 },
          { title: "empty", piece: 2 },
        ],
      }),
    ).length(1);
  });
});
