/** A chapter of a sound, in seconds from its beginning. */
export interface ChapterMark {
  readonly title: string;
  readonly start: number;
  readonly end: number;
}

/** Chapters and tags in the text form of FFmpeg (ffmpeg-formats, "Metadata"), which writes them into M4B, MKA and others. */
export function encode_ffmetadata(
  tags: Readonly<Record<string, string | undefined>>,
  chapters: readonly ChapterMark[],
): string {
  const field = (name: string, value: string): string => `${name}=${value.replaceAll(/[=;#\\\n]/g, "\\$&")}`;
  const known = Object.entries(tags).flatMap(([name, value]) => (value === undefined ? [] : [field(name, value)]));
  const marks = chapters.flatMap(({ title, start, end }) => [
    "[CHAPTER]",
    "TIMEBASE=1/1000",
    `START=${Math.round(start * 1000)}`,
    `END=${Math.round(end * 1000)}`,
    field("title", title),
  ]);
  return `${[";FFMETADATA1", ...known, ...marks].join("\n")}\n`;
}
