import { expect } from "chai";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { findPlayer, startPlaying } from "../../cli/process/play.ts";
import { decode_wav } from "../../audio/wav_reader.ts";
import { engineErrorOf } from "../support/rejection.ts";

const sound = { sampling_rate: 24_000, channels: 1 };
const samples = Float32Array.from({ length: 100_000 }, (_, i) => Math.sin(i) / 2);
const going = new AbortController().signal;

describe("playing", () => {
  let folder: string;
  const givenPath = process.env["PATH"];
  before(async function () {
    if (process.platform === "win32") this.skip(); // The players here are shell scripts.
    folder = await mkdtemp(path.join(tmpdir(), "bark-players-"));
  });
  afterEach(() => {
    process.env["PATH"] = givenPath;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** A PATH with a player that is a shell script; `$OUT` is a file for what it gets. */
  async function install(name: string, script: string): Promise<string> {
    const home = await mkdtemp(path.join(folder, "bin-"));
    const out = path.join(home, "out");
    await writeFile(path.join(home, name), `#!/bin/sh\nOUT='${out}'\n${script}\n`);
    await chmod(path.join(home, name), 0o755);
    process.env["PATH"] = home;
    return out;
  }

  async function play(signal = going): Promise<void> {
    const playing = await startPlaying(await findPlayer(), sound, signal);
    for (let at = 0; at < samples.length; at += 30_000) playing.push(samples.subarray(at, at + 30_000));
    await playing.finish();
  }

  it("gives ffplay a WAV while it comes", async () => {
    const out = await install("ffplay", '/bin/cat > "$OUT"');
    await play();
    const { audio, sample_rate } = decode_wav(await readFile(out), "out", () => undefined);
    expect([audio.shape, sample_rate]).deep.equal([[1, samples.length], 24_000]);
  });

  it("gives aplay bare samples, and says what they are", async () => {
    const out = await install("aplay", 'echo "$@" > "$OUT.args"; /bin/cat > "$OUT"');
    await play();
    expect((await readFile(out)).length).equal(2 * samples.length);
    expect(await readFile(`${out}.args`, "utf8")).equal("-q -t raw -f S16_LE -r 24000 -c 1\n");
  });

  it("gives afplay a file, and leaves none", async () => {
    const out = await install("afplay", 'echo "$1" > "$OUT.args"; /bin/cat "$1" > "$OUT"');
    await play();
    expect(decode_wav(await readFile(out)).audio.shape).deep.equal([1, samples.length]);
    const file = (await readFile(`${out}.args`, "utf8")).trim();
    expect(await readdir(path.dirname(file)).catch(() => "gone")).equal("gone");
  });

  it("tells why a player failed, also where it took nothing", async () => {
    await install("ffplay", "echo first >&2; echo 'no sound card' >&2; exit 3");
    const error = await engineErrorOf(() => play());
    expect([error.code, error.message]).deep.equal([
      "io",
      "ffplay: could not play the sound: no sound card; leave out --play",
    ]);
  });

  it("is stopped by the signal", async () => {
    await install("ffplay", "exec /bin/sleep 60");
    const stop = new AbortController();
    const playing = await startPlaying(await findPlayer(), sound, stop.signal);
    playing.push(samples); // More than a pipe holds.
    stop.abort();
    expect((await engineErrorOf(() => playing.finish())).code).equal("aborted");
  });

  it("says what to install where there is no player", async () => {
    const empty = path.join(folder, "empty");
    await mkdir(path.join(empty, "ffplay"), { recursive: true }); // A folder is no program.
    process.env["PATH"] = empty;
    const { code, message } = await engineErrorOf(findPlayer);
    expect(code).equal("io");
    expect(message).match(
      /^--play: no program that plays sound was found .*ffplay, mpv, .*install one, such as ffmpeg/,
    );
  });
});
