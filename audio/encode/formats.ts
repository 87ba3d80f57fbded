import { EngineError } from "../../engine/errors.ts";

/** Sound files that can be written: the endings of their names, the first being the usual one, and what servers call them. */
export const audioFormats = {
  wav: { endings: [".wav"], mime: "audio/wav" },
  /** Signed 16 bits, little-endian, without a header. */
  pcm: { endings: [".pcm"], mime: "audio/pcm" },
  mp3: { endings: [".mp3"], mime: "audio/mpeg" },
  opus: { endings: [".opus", ".ogg"], mime: "audio/ogg; codecs=opus" },
  flac: { endings: [".flac"], mime: "audio/flac" },
  /** AAC in ADTS frames. */
  aac: { endings: [".aac"], mime: "audio/aac" },
  m4a: { endings: [".m4a"], mime: "audio/mp4" },
} as const;
export type AudioFormat = keyof typeof audioFormats;

export const audioFormatNames = Object.keys(audioFormats) as AudioFormat[];

/** All endings, those of WAV first. */
export const audioEndings: readonly string[] = Object.values(audioFormats).flatMap(({ endings }) => endings);

/** The format that a file's ending names. @throws EngineError `usage` for another. */
export function audioFormatOf(file: string): AudioFormat {
  const ending = /\.[^./\\]*$/.exec(file)?.[0].toLowerCase() ?? "";
  const format = audioFormatNames.find((name) => (audioFormats[name].endings as readonly string[]).includes(ending));
  if (format !== undefined) return format;
  throw new EngineError("usage", "does not have the ending of a sound file that can be written", {
    where: file,
    expected: audioEndings.join(", "),
    actual: ending === "" ? "no ending" : ending,
  });
}
