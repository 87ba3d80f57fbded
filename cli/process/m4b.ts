import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { writeError, withTemporary } from "../../checkpoint/node/atomic_file.ts";
import { rename } from "node:fs/promises";
import { pcm16 } from "../../audio/encode/wav_encoder.ts";
import { EngineError } from "../../engine/errors.ts";

/** Whether `ffmpeg` can be run. */
export async function hasFfmpeg(): Promise<boolean> {
  const child = spawn("ffmpeg", ["-hide_banner", "-version"], { stdio: "ignore" });
  return await new Promise((resolve) => {
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
}

/**
 * Writes an M4B, AAC with chapters that players of audiobooks know, by ffmpeg: no package of npm writes chapters into MP4.
 * The same samples make the same bytes.
 * @param metadata path of a file as `encode_ffmetadata` writes it. @param rate samples a second. @param bitrate kbit/s.
 * @throws EngineError `io` with the last line that ffmpeg wrote.
 */
export async function writeM4b(
  file: string,
  metadata: string,
  samples: AsyncIterable<Float32Array>,
  { rate, bitrate }: { rate: number; bitrate: number },
): Promise<void> {
  await withTemporary(path.dirname(file), async (temporary) => {
    const sound = ["-f", "s16le", "-ar", String(rate), "-ac", "1", "-i", "pipe:0"];
    const chapters = ["-f", "ffmetadata", "-i", metadata, "-map", "0:a", "-map_metadata", "1", "-map_chapters", "1"];
    // One thread and no versions or dates in the file: they would differ from run to run.
    const output = [
      "-c:a",
      "aac",
      "-b:a",
      `${bitrate}k`,
      "-threads",
      "1",
      "-fflags",
      "+bitexact",
      "-flags:a",
      "+bitexact",
    ];
    const args = [
      "-hide_banner",
      "-loglevel",
      "error",
      "-y",
      ...sound,
      ...chapters,
      ...output,
      "-f",
      "ipod",
      temporary,
    ];
    const child = spawn("ffmpeg", args, { stdio: ["pipe", "ignore", "pipe"] });
    const ended = once(child, "close") as Promise<[number | null]>;
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-1000)));
    // It may end before it has read everything; its words say why.
    child.stdin.on("error", () => undefined);
    try {
      for await (const part of samples) {
        if (child.exitCode !== null) break;
        if (!child.stdin.write(pcm16([part]))) await Promise.race([once(child.stdin, "drain"), ended]);
      }
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    child.stdin.end();
    const [code] = await ended;
    if (code !== 0)
      throw new EngineError("io", `ffmpeg failed: ${words.trim().split("\n").at(-1) || `exit code ${code}`}`, {
        where: file,
      });
    await rename(temporary, file).catch((error: NodeJS.ErrnoException) => {
      throw writeError(file, error);
    });
  });
}
