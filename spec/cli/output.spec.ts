import { expect } from "chai";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { decode_wav } from "../../audio/wav_reader.ts";
import { lines } from "../support/bark_command.ts";
import { safetensorsBytes } from "../support/files/safetensors_bytes.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const entry = path.join(root, "cli/main.ts");
const say = [
  "say",
  "hello",
  "-m",
  path.join(root, "spec/fixtures/torch/suno"),
  "--greedy",
  "--max-semantic-tokens",
  "4",
];

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

describe("what bark writes", () => {
  let folder: string;
  const file = (name: string): string => path.join(folder, name);
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bark-output-"));
    const tensors = Array.from({ length: 3000 }, (_, i) => [
      `a.tensor.with.quite.a.long.name.${i}`,
      { dtype: "F32", shape: [0], data_offsets: [0, 0] },
    ]);
    await writeFile(file("many.safetensors"), safetensorsBytes(Object.fromEntries(tensors)));
  });
  after(() => rm(folder, { recursive: true }));

  /** Runs `bark` with streams that are the test's own. */
  async function run(args: readonly string[], stdio: unknown[], use?: (child: ChildProcess) => void): Promise<Ended> {
    const command = ["--import", import.meta.resolve("tsx"), entry, ...args];
    const child = spawn(process.execPath, command, { cwd: folder, stdio: stdio as ("pipe" | number)[] });
    const ended: Ended = { code: null, signal: null, stdout: Buffer.alloc(0), stderr: "" };
    child.stderr?.on("data", (chunk: Buffer) => (ended.stderr += chunk.toString()));
    if (use === undefined)
      child.stdout?.on("data", (chunk: Buffer) => (ended.stdout = Buffer.concat([ended.stdout, chunk])));
    else use(child);
    [ended.code, ended.signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.on("close", (code, signal) => resolve([code, signal])),
    );
    return ended;
  }

  it("writes the format that the ending or --audio-format names, with how the sound was made in its tags", async () => {
    const nano = ["say", "Hello.", "-v", "en_speaker_1", "--seed", "7", "--max-semantic-tokens", "20", "--quiet"];
    const { code, stderr } = await run([...nano, "-o", "a.opus", "--bitrate", "24"], ["ignore", "pipe", "pipe"]);
    expect([code, stderr]).deep.equal([0, ""]);
    const bytes = await readFile(file("a.opus"), "utf8");
    await rm(file("a.opus"));
    expect(bytes.slice(0, 4)).equal("OggS");
    for (const tag of ["TITLE=Hello.", "ARTIST=en_speaker_1", '"seed":7,"checkpoint":"nano"', "ENCODER=bark-webgpu "])
      expect(bytes).include(tag);
    const piped = await run([...nano, "-o", "-", "--audio-format", "mp3"], ["ignore", "pipe", "pipe"]);
    expect(piped.stdout.subarray(0, 3).toString()).equal("ID3");
  });

  const wrong: readonly [args: string[], says: string][] = [
    [["-o", "a.mp3", "--audio-format", "flac"], "bark: --audio-format: is flac, and the ending of the file says mp3"],
    [["-o", "a.mp3", "--format", "float32"], "bark: --format: is for the samples of a WAV file"],
    [["-o", "a.mp3", "--bitrate", "50"], "bark: sampling_rate: wrong value"], // The fixture's codec has 600 Hz.
    [["-o", "a.flac", "--bitrate", "50"], "bark: bitrate: wrong value (expected none: flac loses nothing"],
    [["-o", "a.avi"], "bark: --output a.avi: does not have the ending of its format"],
  ];
  for (const [args, says] of wrong)
    it(`refuses ${args.join(" ")} before the run`, async () => {
      const { code, stderr } = await run([...say, ...args], ["ignore", "ignore", "pipe"]);
      expect(code).equal(2);
      expect(stderr.startsWith(says), stderr).equal(true);
      expect(lines(stderr)).have.length(1);
    });

  it("-o - gives the WAV to standard output and the words to the other", async () => {
    const { code, stdout, stderr } = await run([...say, "-o", "-", "--json", "--quiet"], ["ignore", "pipe", "pipe"]);
    expect(code, stderr).equal(0);
    const { samples, output } = JSON.parse(lines(stderr).at(-1)!) as { samples: number; output: string };
    expect(decode_wav(new Uint8Array(stdout)).audio.shape).deep.equal([1, samples]);
    expect(output).equal("-");
    expect(await readdir(folder)).deep.equal(["many.safetensors"]);
  });

  it("keeps the driver's words for --debug, and works where stderr is closed", async () => {
    const args = ["say", "hello", "--max-semantic-tokens", "4", "-o", "quiet.wav", "--quiet", "--device", "software"];
    const [quiet, debug] = await Promise.all([
      run(args, ["ignore", "pipe", "pipe"]),
      run([...args.with(args.indexOf("quiet.wav"), "debug.wav"), "--debug"], ["ignore", "pipe", "pipe"]),
    ]);
    expect([quiet.code, quiet.stderr]).deep.equal([0, ""]);
    expect(debug.code).equal(0);
    expect(debug.stderr).match(/^(Warning: maxDynamic.*\n)+$/);
    const shell = [
      "-c",
      'exec "$0" "$@" 2>&-',
      process.execPath,
      "--import",
      import.meta.resolve("tsx"),
      entry,
      ...args,
    ];
    expect(execFileSync("sh", shell, { cwd: folder }).toString()).match(/^quiet\.wav: /);
    await Promise.all(["quiet.wav", "debug.wav"].map((name) => rm(file(name))));
  });

  it("writes a voice to standard output, and to a link's target", async () => {
    await writeFile(file("target.wav"), "old", { mode: 0o640 });
    await symlink("target.wav", file("link.wav"));
    const args = [...say, "-o", "link.wav", "--save-voice", "-", "--quiet"];
    const { code, stdout, stderr } = await run(args, ["ignore", "pipe", "pipe"]);
    expect(code, stderr).equal(0);
    expect(stdout.subarray(0, 2).toString()).equal("PK");
    expect(lines(stderr).at(-2)).match(/^link\.wav: \d\.\d s of speech/);
    expect(decode_wav(await readFile(file("target.wav"))).audio.shape[1]).above(0);
    expect((await stat(file("target.wav"))).mode & 0o777).equal(0o640);
    await rm(file("link.wav"));
    await rm(file("target.wav"));
  });

  it("prints all that a slow reader is to get", async () => {
    const chunks: Buffer[] = [];
    const { code } = await run(["inspect", "many.safetensors"], ["ignore", "pipe", "pipe"], (child) => {
      // It is done by then, as far as that goes.
      setTimeout(() => child.stdout!.on("data", (chunk: Buffer) => chunks.push(chunk)), 3000);
    });
    expect(code).equal(0);
    expect(lines(Buffer.concat(chunks).toString())).have.length(3001);
  });

  it("ends quietly when nobody reads on", async () => {
    const { code, stderr } = await run(["inspect", "many.safetensors"], ["ignore", "pipe", "pipe"], (child) =>
      child.stdout!.once("data", () => child.stdout!.destroy()),
    );
    expect([code, stderr]).deep.equal([0, ""]);
  });

  it("writes the file when nobody reads the words", async () => {
    const { code } = await run([...say, "-o", "a.wav"], ["ignore", "ignore", "pipe"], (child) =>
      child.stderr!.once("data", () => child.stderr!.destroy()),
    );
    expect(code).equal(0);
    expect(decode_wav(await readFile(file("a.wav"))).audio.shape[1]).above(0);
    await rm(file("a.wav"));
  });

  if (process.platform === "win32") return;

  it("says that a full disk took nothing", async () => {
    const full = openSync("/dev/full", "w");
    for (const args of [["inspect", "many.safetensors"], ["--version"], [...say, "-o", "-", "--quiet"]]) {
      const { code, stderr } = await run(args, ["ignore", full, "pipe"]);
      expect(code).equal(1);
      expect(lines(stderr)).have.length(1);
      expect(stderr).match(/^bark: (standard output|--output -): the disk is full/);
    }
    closeSync(full);
  });

  it("does not wait at a pipe in place of a file", async () => {
    for (const name of ["p.safetensors", "p.wav", "p.npz"]) execFileSync("mkfifo", [file(name)]);
    for (const args of [
      ["inspect", "p.safetensors"],
      ["codec", "encode", "p.wav", "x.npz"],
      ["codec", "decode", "p.npz", "x.wav", "--quiet"],
    ]) {
      const { code, stderr } = await run(args, ["ignore", "pipe", "pipe"]);
      expect(code, stderr).equal(3);
      expect(stderr).match(/^bark: p\.\w+: is not a file \(got a pipe\)\n$/);
    }
  });

  it("reads a text from a pipe, and stops waiting for it at Ctrl-C", async () => {
    execFileSync("mkfifo", [file("p.txt")]);
    const args = [...say.filter((arg) => arg !== "hello"), "--file", "p.txt", "-o", "b.wav", "--quiet"];
    const [spoken] = await Promise.all([run(args, ["ignore", "pipe", "pipe"]), writeFile(file("p.txt"), "hello")]);
    expect(spoken.code, spoken.stderr).equal(0);
    const waiting = await run(args, ["ignore", "pipe", "pipe"], (child) =>
      setTimeout(() => child.kill("SIGINT"), 3000),
    );
    expect(waiting.code).equal(130);
    expect(waiting.stderr).equal("bark: interrupted; nothing was written\n");
  });

  it("is ended by a second Ctrl-C, whatever it waits for", async () => {
    const before = await readdir(folder);
    // No one reads the pipe: a thread waits for that, and an exit would wait for the thread.
    const { signal } = await run([...say, "-o", "p.wav"], ["ignore", "pipe", "pipe"], (child) => {
      child.stderr!.on("data", (chunk: Buffer) => {
        if (!chunk.toString().includes("codec:")) return;
        setTimeout(() => child.kill("SIGINT"), 500);
        setTimeout(() => child.kill("SIGINT"), 1500);
      });
    });
    expect(signal, "which a shell tells as 130").equal("SIGINT");
    expect(await readdir(folder)).deep.equal(before);
  });
});
