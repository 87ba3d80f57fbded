import { expect } from "chai";
import { cp, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bark, lines } from "../support/bark_command.ts";

const nano = fileURLToPath(new URL("../../models/nano", import.meta.url));

/** A wrong call ends with one line on stderr that holds `says`, the exit code, nothing on stdout and no new file. */
async function expectRefusal(args: readonly string[], code: number, says: RegExp, cwd: string): Promise<void> {
  const before = await readdir(cwd);
  const run = await bark(args, { cwd });
  expect(run.code, run.stderr).equal(code);
  expect(lines(run.stderr)).have.length(1);
  expect(run.stderr).match(says);
  expect(run.stdout).equal("");
  expect(await readdir(cwd)).deep.equal(before);
}

describe("wrong calls of bark", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bark-cli-"));
    await writeFile(path.join(folder, "notes.txt"), "x");
    await writeFile(path.join(folder, "latin1.txt"), Uint8Array.of(0x63, 0xe9));
    await writeFile(path.join(folder, "broken.npz"), "PK");
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
    await writeFile(path.join(folder, "pointer.safetensors"), pointer);
  });
  after(() => rm(folder, { recursive: true }));

  const usage: readonly [name: string, args: readonly string[], says: RegExp][] = [
    ["no command", [], /no command given/],
    ["a misspelt command", ["sya", "hi"], /sya: no such command; did you mean "say"\?/],
    ["an unknown command", ["sing"], /sing: no such command; one of say, .*voices/],
    ["an unknown flag", ["say", "hi", "--loud"], /say --loud: no such flag; .bark say --help/],
    [
      "a misspelt flag",
      ["say", "hi", "--temprature", "1"],
      /--temprature: no such flag; did you mean "--temperature"\?/,
    ],
    ["a long flag with one dash", ["say", "hi", "-model", "nano"], /-model: no such flag; did you mean "--model"\?/],
    ["a text that begins with a dash", ["say", "-5 degrees"], /-5 degrees: no such flag; put -- before a text/],
    ["a text that begins with a minus", ["say", "-Hello"], /-Hello: no such flag; put -- before a text/],
    ["a flag without its value", ["say", "hi", "-o"], /-o: has no value/],
    ["a flag in place of a value", ["say", "hi", "-o", "--json"], /-o: has no value; --output=--json if that is it/],
    ["a flag given twice", ["say", "hi", "-o", "a", "--output", "b"], /--output: is given twice/],
    ["a value for a flag without", ["say", "hi", "--greedy=1"], /--greedy=1: takes no value/],
    ["= after a short flag", ["say", "hi", "-o=a.wav"], /-o=a\.wav: .* --output=a\.wav/],
    ["half a top-k", ["say", "hi", "--top-k", "5.5"], /--top-k: .*got 5\.5/],
    ["no text", ["say"], /the text is empty/],
    ["blank text", ["say", "  "], /the text is empty/],
    ["text twice", ["say", "hi", "--file", "notes.txt"], /both as arguments and by --file/],
    ["a temperature of 0", ["say", "hi", "--temperature", "0"], /--temperature: .*--greedy.*got 0/],
    ["a temperature that is not a number", ["say", "hi", "--fine-temperature", "warm"], /--fine-temperature/],
    ["half a token", ["say", "hi", "--max-semantic-tokens", "1.5"], /--max-semantic-tokens/],
    ["a probability above 1", ["say", "hi", "--top-p", "1.5"], /--top-p/],
    ["a negative seed", ["say", "hi", "--seed", "-1"], /--seed: .*got -1/],
    ["sampling with --greedy", ["say", "hi", "--greedy", "--top-k", "5"], /--greedy picks without --top-k/],
    ["an unknown dtype", ["say", "hi", "--dtype", "f8"], /--dtype.*f32/],
    ["an unknown format", ["say", "hi", "--format", "mp3"], /--format.*pcm16 or float32/],
    [
      "an output folder that is not there",
      ["say", "hi", "-o", "gone/a.wav"],
      /gone\/a\.wav: the folder does not exist/,
    ],
    ["a model without a name", ["say", "hi", "-m", ""], /-m: has no value/],
    ["a negative number for a flag", ["say", "hi", "--top-p", "-1"], /--top-p: .*from 0 to 1, got -1/],
    [
      "a kind of file that is not written",
      ["say", "hi", "-o", "a.wma"],
      /a\.wma: .*expected \.wav.*\.mp3.*got \.wma.*a\.wav/,
    ],
    ["a preview of such a kind", ["voices", "--preview", "en_speaker_0", "-o", "a.txt"], /a\.txt: .*expected \.wav/],
    ["a voice of another kind", ["say", "hi", "--save-voice", "a.npy"], /a\.npy: .*expected \.npz/],
    ["a name that is too long", ["say", "hi", "-o", `${"x".repeat(252)}.wav`], /the name is too long/],
    ["a voice's name that is too long", ["say", "hi", "--save-voice", `${"x".repeat(252)}.npz`], /name is too long/],
    ["a converted folder's name that is too long", ["convert", nano, "x".repeat(256)], /name is too long/],
    ["a plot in no folder", ["bench", "kernels", "--plot", "gone/a.svg"], /gone\/a\.svg: the folder does not exist/],
    ["results in no folder", ["bench", "results", "notes.txt", "-o", "gone/a.md"], /gone\/a\.md: the folder does/],
    ["a folder as output", ["say", "hi", "-o", "."], /not the name of a file/],
    [
      "word times that nothing would show",
      ["say", "hi", "--words", "--srt", "a.srt"],
      /--words: is for --vtt, --captions/,
    ],
    ["word times of a book", ["book", "a.txt", "--words"], /book --words: no such flag/],
    ["one file for both outputs", ["say", "hi", "-o", "a", "--save-voice", "./a"], /the same file as --output/],
    ["too many arguments", ["voices", "all"], /voices: wrong number of arguments/],
  ];
  for (const [name, args, says] of usage) it(`exit 2: ${name}`, () => expectRefusal(args, 2, says, folder));

  const input: readonly [name: string, args: readonly string[], says: RegExp][] = [
    ["a checkpoint that is not there", ["say", "hi", "-m", "./gone"], /\.\/gone: /],
    ["a folder without a checkpoint", ["say", "hi", "-m", "."], /no config\.json/],
    ["an unknown voice", ["say", "hi", "-v", "bob"], /bob: no such voice .*en_speaker_0.*bark voices/],
    ["a broken voice", ["say", "hi", "-v", "broken.npz"], /broken\.npz: /],
    ["a text file that is not there", ["say", "--file", "gone.txt"], /gone\.txt: /],
    ["a text file that is not UTF-8", ["say", "--file", "latin1.txt"], /latin1\.txt: the text is not UTF-8/],
    ["a file of an unknown kind", ["inspect", "notes.txt"], /notes\.txt: .*\.safetensors/],
    ["a file that is not there", ["inspect", "gone.npz"], /gone\.npz: no such/],
    ["a pointer of git-lfs", ["inspect", "pointer.safetensors"], /pointer\.safetensors: is a git-lfs pointer/],
    ["a file as a checkpoint", ["say", "hi", "-m", "notes.txt"], /notes\.txt: is not a folder/],
    ["a text that is a folder", ["say", "--file", "."], /\.: the text cannot be read: EISDIR/],
  ];
  for (const [name, args, says] of input) it(`exit 3: ${name}`, () => expectRefusal(args, 3, says, folder));

  it("exit 4: an adapter that is not there", () =>
    expectRefusal(["say", "hi", "--device", "voodoo"], 4, /voodoo, got .*SwiftShader/, folder));

  it("exit 3: weights that end early, and a config that does not fit them", async () => {
    const model = path.join(folder, "model");
    await cp("models/nano", model, { recursive: true });
    await truncate(path.join(model, "model.safetensors"), 1_000_000);
    await expectRefusal(["say", "hi", "-m", "model"], 3, /model\/model\.safetensors: /, folder);
    await writeFile(path.join(model, "config.json"), "{");
    await expectRefusal(["say", "hi", "-m", "model"], 3, /model\/config\.json: is not valid JSON/, folder);
  });

  it("--debug adds the stack", async () => {
    const run = await bark(["say", "--debug"]);
    expect(run.code).equal(2);
    expect(run.stderr).match(/^bark: TEXT: .*\n.*EngineError.*\n +at /);
  });
});
