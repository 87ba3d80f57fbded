import { expect } from "chai";
import { cp, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { bark, lines } from "../support/bark_command.ts";

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
  });
  after(() => rm(folder, { recursive: true }));

  const usage: readonly [name: string, args: readonly string[], says: RegExp][] = [
    ["no command", [], /no command given/],
    ["an unknown command", ["sing"], /sing: no such command; one of say, .*voices/],
    ["an unknown flag", ["say", "hi", "--loud"], /'--loud'.*bark say --help/],
    ["no text", ["say"], /the text is empty/],
    ["blank text", ["say", "  "], /the text is empty/],
    ["text twice", ["say", "hi", "--file", "notes.txt"], /both as arguments and by --file/],
    ["a temperature of 0", ["say", "hi", "--temperature", "0"], /--temperature: .*--greedy.*got 0/],
    ["a temperature that is no number", ["say", "hi", "--fine-temperature", "warm"], /--fine-temperature/],
    ["half a token", ["say", "hi", "--max-semantic-tokens", "1.5"], /--max-semantic-tokens/],
    [
      "more tokens than positions",
      ["say", "hi", "--max-semantic-tokens", "9999"],
      /semantic.max.new.tokens.*at most 576/,
    ],
    ["a probability above 1", ["say", "hi", "--top-p", "1.5"], /--top-p/],
    ["a negative seed", ["say", "hi", "--seed=-1"], /--seed/],
    ["sampling with --greedy", ["say", "hi", "--greedy", "--top-k", "5"], /--greedy picks without --top-k/],
    ["an unknown dtype", ["say", "hi", "--dtype", "f8"], /--dtype.*f32/],
    ["an unknown format", ["say", "hi", "--format", "mp3"], /--format.*pcm16 or float32/],
    [
      "an output folder that is not there",
      ["say", "hi", "-o", "gone/a.wav"],
      /gone\/a\.wav: the folder does not exist/,
    ],
    ["a model without a name", ["say", "hi", "-m", ""], /--model: has no name/],
    ["a negative number for a flag", ["say", "hi", "--top-p", "-1"], /'--top-p' argument is ambiguous; /],
    ["a folder as output", ["say", "hi", "-o", "."], /not the name of a file/],
    ["one file for both outputs", ["say", "hi", "-o", "a", "--save-voice", "./a"], /the same file as --output/],
    ["too many arguments", ["voices", "all"], /voices: wrong number of arguments/],
  ];
  for (const [name, args, says] of usage) it(`exit 2: ${name}`, () => expectRefusal(args, 2, says, folder));

  const input: readonly [name: string, args: readonly string[], says: RegExp][] = [
    ["a checkpoint that is not there", ["say", "hi", "-m", "./gone"], /\.\/gone: /],
    ["a folder that is no checkpoint", ["say", "hi", "-m", "."], /no config\.json/],
    ["an unknown voice", ["say", "hi", "-v", "bob"], /bob: no such voice .*en_speaker_0.*bark voices/],
    ["a broken voice", ["say", "hi", "-v", "broken.npz"], /broken\.npz: /],
    ["a text file that is not there", ["say", "--file", "gone.txt"], /gone\.txt: /],
    ["a text file that is no UTF-8", ["say", "--file", "latin1.txt"], /latin1\.txt: the text is not UTF-8/],
    ["a file of an unknown kind", ["inspect", "notes.txt"], /notes\.txt: .*\.safetensors/],
    ["a file that is not there", ["inspect", "gone.npz"], /gone\.npz: no such/],
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
