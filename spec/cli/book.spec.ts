import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { bark, lines } from "../support/bark_command.ts";
import { epubOf } from "../speech/book/epub_file.ts";

/** A checkpoint that speaks in half the time of the embedded one; its vocabulary has few words. */
const small = path.resolve("spec/fixtures/torch/suno");
const few = ["-m", small, "--max-semantic-tokens", "4", "--retries", "0", "--seed", "3"];
const text =
  "## A\n\nThe dog is here now.\n\nA dog is hello here.\n\n## B\n\nHello is the dog hello.\n\nIs the dog here, hello?\n";

describe("bark book", function () {
  this.timeout(300_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bark-book-"));
    await writeFile(path.join(folder, "talk.md"), text);
  });
  after(() => rm(folder, { recursive: true }));
  const at = (...names: string[]): string => path.join(folder, ...names);

  /** Every file of a folder, by name. */
  async function contents(name: string): Promise<Map<string, string>> {
    const names = await readdir(at(name), { recursive: true });
    const files = new Map<string, string>();
    for (const file of names.sort())
      if ((await stat(at(name, file))).isFile()) files.set(file, (await readFile(at(name, file))).toString("base64"));
    return files;
  }
  const speak = async (name: string, file = "talk.md", ...more: string[]) =>
    await bark(["book", file, "-o", name, "--json", ...few, ...more], { cwd: folder });
  const countPieces = async (name: string): Promise<number> =>
    (await readdir(at(name, "pieces")).catch(() => [])).filter((file) => file.endsWith(".json")).length;

  let whole: Map<string, string>;
  let keys: string[];

  it("speaks a book into a folder: the whole, its chapters, captions and a report", async () => {
    const run = await speak("whole");
    expect(run.code, run.stderr).equal(0);
    const result = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(result).include({ folder: "whole", pieces: 4, chapters: 2, spoken: 4, reused: 0, retries: 0, seed: "3" });
    whole = await contents("whole");
    expect([...whole.keys()]).include.members([
      ...["talk.wav", "talk.srt", "talk.vtt", "talk.json", "chapters/01 A.wav", "chapters/02 B.srt", "report.json"],
      ...["chapters.ffmetadata", "plan.json", "voice.npz"],
    ]);
    expect(run.stderr).match(/^4 of 4 pieces, 0:0\d of sound, \d/m);
    const plan = JSON.parse(await readFile(at("whole", "plan.json"), "utf8")) as { pieces: { key: string }[] };
    keys = plan.pieces.map(({ key }) => key);
  });

  it("goes on after kills at random moments, and is then byte for byte that of an undisturbed run", async () => {
    for (let kill = 0; kill < 3; kill++) {
      const entry = path.resolve("cli/main.ts");
      const args = ["--import", import.meta.resolve("tsx"), entry, "book", "talk.md", "-o", "killed", ...few];
      const child = spawn(process.execPath, args, { cwd: folder, stdio: "ignore" });
      const ended = once(child, "close");
      const already = await countPieces("killed");
      // Once it speaks, at any moment up to the end of the next piece but one.
      while (child.exitCode === null && (await countPieces("killed")) < already + (kill > 0 ? 1 : 0)) await pause(20);
      await Promise.race([ended, pause(Math.random() * 2000)]);
      child.kill("SIGKILL");
      await ended;
    }
    const run = await speak("killed");
    expect(run.code, run.stderr).equal(0);
    expect(await contents("killed")).deep.equal(whole);
  });

  it("speaks a changed sentence alone", async () => {
    await writeFile(at("talk.md"), text.replace("A dog is hello", "A hello is a dog"));
    const run = await speak("killed");
    expect(run.code, run.stderr).equal(0);
    expect(run.stderr).match(/talk\.md or its options have changed: 1 of 4 pieces are new/);
    expect(JSON.parse(run.stdout)).include({ spoken: 1, reused: 3 });
    await writeFile(at("talk.md"), text);
    expect(JSON.parse((await speak("killed")).stdout)).include({ spoken: 0, reused: 4 });
    const files = await contents("killed");
    for (const [name, bytes] of whole) expect(files.get(name), name).equal(bytes);
  });

  it("speaks damaged pieces again, makes a lost voice up as it was, and needs no FILE for that", async () => {
    await truncate(at("killed", "pieces", `${keys[2]}.wav`), 100);
    await rm(at("killed", "pieces", `${keys[3]}.json`));
    await rm(at("killed", "voice.npz"));
    await rm(at("talk.md"));
    const run = await speak("killed");
    await writeFile(at("talk.md"), text);
    expect(run.code, run.stderr).equal(0);
    expect(run.stderr).match(/talk\.md is gone: the plan in killed goes on/);
    expect(run.stderr).match(/is damaged: the piece is spoken again/);
    const files = await contents("killed");
    for (const [name, bytes] of whole) expect(files.get(name), name).equal(bytes);
  });

  it("stops at Ctrl-C with 130, says what stays, and goes on", async () => {
    const run = await bark(["book", "talk.md", "-o", "stopped", ...few], {
      cwd: folder,
      onStart: (child) => {
        child.stderr!.on(
          "data",
          (chunk: Buffer) => void (/of 4 pieces/.test(chunk.toString()) && child.kill("SIGINT")),
        );
      },
    });
    expect([run.code, lines(run.stderr).at(-1)]).deep.equal([
      130,
      "bark: interrupted; the same command goes on with what was spoken",
    ]);
    expect(await readdir(at("stopped")))
      .include("plan.json")
      .not.include(".lock");
    expect((await speak("stopped")).code).equal(0);
    expect(await contents("stopped")).deep.equal(whole);
  });

  it("speaks a sample alone, whose pieces the book takes over", async () => {
    const run = await speak("sampled", "talk.md", "--sample");
    expect(run.code, run.stderr).equal(0);
    expect(await readdir(at("sampled")))
      .include.members(["sample.wav", "sample.srt"])
      .not.include("report.json");
    expect(JSON.parse((await speak("sampled")).stdout)).include({ reused: 4, spoken: 0 });
  });

  it("places captions of an SRT at their times", async () => {
    await writeFile(
      at("talk.srt"),
      "1\n00:00:02,000 --> 00:00:02,010\nThe dog is here.\n\n2\n00:00:04,000 --> 00:00:05,000\nHello dog.\n",
    );
    const run = await speak("cues", "talk.srt");
    expect(run.code, run.stderr).equal(0);
    const { pieces } = JSON.parse(await readFile(at("cues", "report.json"), "utf8")) as {
      pieces: { start: number; overrun?: number }[];
    };
    expect(pieces.map(({ start }) => start)).deep.equal([2, 4]);
    expect(pieces[0].overrun).above(0);
    expect(run.stderr).match(/1 captions last longer than they may/);
  });

  it("speaks an EPUB", async () => {
    await writeFile(at("b.epub"), epubOf());
    const run = await speak("epub", "b.epub");
    expect(run.code, run.stderr).equal(0);
    expect(await readdir(at("epub"))).include("The Dog & the Cat.wav");
  });

  describe("refuses in one line, and changes nothing:", () => {
    const refusals: readonly [name: string, args: () => string[], code: number, says: RegExp][] = [
      ["no FILE", () => [], 2, /book: wrong number of arguments/],
      ["another kind of file", () => ["a.pdf"], 2, /a\.pdf: is not a kind of book that can be read.*\.epub/],
      ["a FILE that is not there", () => ["no.txt"], 3, /no\.txt: no such file/],
      ["an empty FILE", () => ["empty.txt"], 3, /empty\.txt: is empty/],
      ["a binary FILE", () => ["binary.txt"], 3, /binary\.txt: is not UTF-8 text/],
      ["a broken EPUB", () => ["broken.epub"], 3, /broken\.epub: is not a zip archive/],
      ["a flag of another command", () => ["talk.md", "--srt", "a.srt"], 2, /book --srt: no such flag/],
      ["an unknown voice", () => ["talk.md", "-v", "nobody"], 3, /nobody: no such voice/],
      ["an unknown voice in the text", () => ["voices.txt"], 3, /somebody: no such voice/],
      ["a wrong gap", () => ["talk.md", "--gaps", "word=3"], 2, /--gaps: .*comma, sentence/],
      ["a wrong cast", () => ["talk.md", "--cast", "ANNA"], 2, /--cast: .*NAME=VALUE/],
      [
        "a folder of other files",
        () => ["talk.md", "-o", "other"],
        2,
        /other: holds files, and none of them is the plan/,
      ],
      ["a folder that is a file", () => ["talk.md", "-o", "empty.txt"], 1, /empty\.txt: .*stands in the way/],
      ["another book's folder", () => ["b.epub", "-o", "whole"], 2, /whole: holds a book of another file.*talk\.md/],
      ["another seed", () => ["talk.md", "-o", "whole", "--seed", "4"], 2, /whole: holds a book of another seed/],
      ["other sampling", () => ["talk.md", "-o", "whole", "--top-k", "3"], 2, /whole: .*another sampling/],
    ];
    before(async () => {
      await writeFile(at("empty.txt"), "");
      await writeFile(at("b.epub"), epubOf());
      await writeFile(at("binary.txt"), Uint8Array.of(0xff, 0xfe, 0xff, 0, 1));
      await writeFile(at("broken.epub"), "PK");
      await writeFile(at("voices.txt"), "Hello. [voice:somebody] dog.");
      await mkdir(at("other"));
      await writeFile(at("other", "mine.txt"), "x");
    });
    for (const [name, args, code, says] of refusals)
      it(name, async () => {
        const before = await readdir(folder, { recursive: true });
        const given = args();
        const defaults = few.filter((_, i, all) => !given.includes(all[i % 2 === 0 ? i : i - 1]));
        const run = await bark(["book", ...given, ...defaults], { cwd: folder });
        expect(run.code, run.stderr).equal(code);
        expect(lines(run.stderr)).length(1);
        expect(run.stderr).match(says);
        expect(await readdir(folder, { recursive: true })).deep.equal(before);
      });

    it("a folder that another process works in", async () => {
      await writeFile(
        at("whole", ".lock"),
        JSON.stringify({ pid: process.pid, host: (await import("node:os")).hostname() }),
      );
      const run = await speak("whole");
      expect(run.code, run.stderr).equal(2);
      expect(run.stderr).match(/whole: another process is speaking this book/);
      await rm(at("whole", ".lock"));
    });

    it("a folder of another version", async () => {
      const plan = await readFile(at("whole", "plan.json"), "utf8");
      await writeFile(at("whole", "plan.json"), plan.replace(/"version": "[\d.]+"/, '"version": "0.0.1"'));
      const run = await speak("whole");
      expect([run.code, lines(run.stderr).length], run.stderr).deep.equal([2, 1]);
      expect(run.stderr).match(/whole: holds a book of another version.*expected 0\.0\.1/);
      await writeFile(at("whole", "plan.json"), plan);
    });

    it("a folder that cannot be written", async function () {
      if (process.getuid?.() === 0) this.skip(); // Root may write anywhere.
      await mkdir(at("locked"));
      await chmod(at("locked"), 0o555);
      const run = await speak("locked");
      expect([run.code, lines(run.stderr).length], run.stderr).deep.equal([1, 1]);
    });
  });
});
