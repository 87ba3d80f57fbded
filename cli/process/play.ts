import { spawn, type ChildProcessByStdio } from "node:child_process";
import { access, constants, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { open_encoder } from "../../audio/encode/encoder.ts";
import { EngineError } from "../../engine/errors.ts";

/** What a sound is, as players need it. */
interface Sound {
  /** Samples a second. */
  readonly sampling_rate: number;
  readonly channels: number;
}

/** A program that plays sound: from its standard input as WAV or bare samples of 16 bits, or from a file. */
export interface Player {
  readonly name: string;
  readonly input: "wav" | "pcm" | "file";
  args(sound: Sound, file: string): string[];
}

/** In the order in which they are looked for: those that play what they have while more comes stand first. */
const players: readonly Player[] = [
  { name: "ffplay", input: "wav", args: () => ["-nodisp", "-autoexit", "-loglevel", "error", "-i", "-"] },
  { name: "mpv", input: "wav", args: () => ["--no-video", "--really-quiet", "-"] },
  {
    name: "paplay",
    input: "pcm",
    args: ({ sampling_rate, channels }) => [
      "--raw",
      "--format=s16le",
      `--rate=${sampling_rate}`,
      `--channels=${channels}`,
    ],
  },
  {
    name: "aplay",
    input: "pcm",
    args: ({ sampling_rate, channels }) => [
      "-q",
      "-t",
      "raw",
      "-f",
      "S16_LE",
      "-r",
      `${sampling_rate}`,
      "-c",
      `${channels}`,
    ],
  },
  {
    name: "play",
    input: "pcm",
    args: ({ sampling_rate, channels }) => [
      "-q",
      "-t",
      "raw",
      "-e",
      "signed",
      "-b",
      "16",
      "-r",
      `${sampling_rate}`,
      "-c",
      `${channels}`,
      "-",
    ],
  },
  { name: "afplay", input: "file", args: (_sound, file) => [file] },
  {
    name: "powershell",
    input: "file",
    args: (_sound, file) => [
      "-NoProfile",
      "-Command",
      `(New-Object Media.SoundPlayer '${file.replaceAll("'", "''")}').PlaySync()`,
    ],
  },
];

/** The first player that the system has. @throws EngineError `io` naming what to install. */
export async function findPlayer(): Promise<Player> {
  for (const player of players) if (await isInstalled(player.name)) return player;
  throw new EngineError("io", "no program that plays sound was found", {
    where: "--play",
    expected: players.map(({ name }) => name).join(", "),
    fix: "install one, such as ffmpeg (ffplay) or alsa-utils (aplay)",
  });
}

async function isInstalled(name: string): Promise<boolean> {
  const file = process.platform === "win32" ? `${name}.exe` : name;
  for (const folder of (process.env["PATH"] ?? "").split(path.delimiter)) {
    const program = path.join(folder, file);
    const isProgram = await access(program, constants.X_OK).then(
      async () => (await stat(program)).isFile(),
      () => false,
    );
    if (folder !== "" && isProgram) return true;
  }
  return false;
}

type Child = ChildProcessByStdio<Writable, null, Readable>;

/** Plays samples while they come. */
export interface Playing {
  /** Returns at once: what the player does not take yet waits. @param samples full scale ±1, channel after channel. */
  push(samples: Float32Array): void;
  /** Waits until all was played. @throws EngineError `io` with what the player says if it fails, `aborted`. */
  finish(): Promise<void>;
}

/** Starts a player. @param signal stops it. */
export async function startPlaying(player: Player, sound: Sound, signal: AbortSignal): Promise<Playing> {
  if (player.input === "file") return await fromFile(player, sound, signal);
  const { sampling_rate, channels } = sound;
  const encoder = await open_encoder(player.input, { sampling_rate, channels });
  const { child, ended } = run(player, player.args(sound, ""), signal);
  const write = async (bytes: Uint8Array): Promise<void> => {
    // A player that has ended takes nothing more; finish() says why it did.
    if (child.stdin.destroyed || child.stdin.write(bytes)) return;
    const drained = new Promise<void>((resolve) => child.stdin.once("drain", resolve));
    await Promise.race([drained, ended]);
  };
  return inOrder({
    push: async (samples) => write(await encoder.push(samples)),
    finish: async () => {
      child.stdin.end(await encoder.finish());
      await ended;
    },
  });
}

/** For players that want a file: they begin at the end of the sound. */
async function fromFile(player: Player, sound: Sound, signal: AbortSignal): Promise<Playing> {
  const encoder = await open_encoder("wav", {
    sampling_rate: sound.sampling_rate,
    channels: sound.channels,
    live: false,
  });
  return inOrder({
    push: async (samples) => void (await encoder.push(samples)),
    finish: async () => {
      const folder = await mkdtemp(path.join(tmpdir(), "bark-play-"));
      try {
        const file = path.join(folder, "speech.wav");
        await writeFile(file, await encoder.finish());
        await run(player, player.args(sound, file), signal).ended;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  });
}

function inOrder(player: { push(samples: Float32Array): Promise<void>; finish(): Promise<void> }): Playing {
  let last = Promise.resolve();
  return {
    push: (samples) => {
      last = last.then(() => player.push(samples));
      last.catch(() => undefined); // finish() tells it.
    },
    finish: async () => {
      await last;
      await player.finish();
    },
  };
}

function run(player: Player, args: readonly string[], signal: AbortSignal): { child: Child; ended: Promise<void> } {
  const child = spawn(player.name, args, { stdio: ["pipe", "ignore", "pipe"], signal });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-1000)));
  child.stdin.on("error", () => undefined);
  const ended = new Promise<void>((resolve, reject) => {
    const fail = (problem: string): void => {
      if (signal.aborted)
        reject(new EngineError("aborted", "playing was stopped", { where: player.name, cause: signal.reason }));
      else reject(new EngineError("io", problem, { where: player.name, fix: "leave out --play" }));
    };
    child.on("error", ({ message }) => fail(`cannot be run: ${message}`));
    child.on("close", (code) => {
      if (code === 0) resolve();
      else fail(`could not play the sound: ${said.trim().split("\n").at(-1) || `exit code ${code}`}`);
    });
  });
  ended.catch(() => undefined); // finish() tells it.
  return { child, ended };
}
