/** What a file says of its sound: how it was made, so that it can be made again. */
export interface AudioTags {
  title?: string;
  /** What is said. */
  text?: string;
  voice?: string;
  seed?: number | bigint;
  checkpoint?: string;
  /** Further settings of the run. */
  settings?: Readonly<Record<string, unknown>>;
  /** Of the program: "bark-webgpu 0.1.0". */
  software?: string;
}

/** The same in the fields that every container has. */
export interface ContainerTags {
  readonly title?: string;
  readonly artist?: string;
  readonly lyrics?: string;
  /** JSON of voice, seed, checkpoint and settings. */
  readonly comment?: string;
  readonly software?: string;
}

/** The most letters of a text that its title shows. */
const titleLength = 60;

/** The title is the beginning of the text where none is given. */
export function containerTags({ title, text, software, ...run }: AudioTags): ContainerTags {
  const spoken = text?.trim().replaceAll(/\s+/g, " ");
  const short = spoken === undefined || spoken.length <= titleLength ? spoken : `${spoken.slice(0, titleLength - 1)}…`;
  const comment = JSON.stringify(run, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  const tags = { title: title ?? short, artist: run.voice, lyrics: text, comment, software };
  return Object.fromEntries(
    Object.entries(tags).filter(([, value]) => value !== undefined && value !== "" && value !== "{}"),
  );
}

/** Ids of a WAV file's INFO list. It has none for lyrics: the subject holds the text. */
export function infoOf(tags: AudioTags): Record<string, string> {
  const { title: INAM, artist: IART, comment: ICMT, lyrics: ISBJ, software: ISFT } = containerTags(tags);
  const info = { INAM, IART, ICMT, ISBJ, ISFT };
  return Object.fromEntries(Object.entries(info).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** An ID3v2.4 tag (id3.org), texts in UTF-8, to stand before an MP3's frames. */
export function id3Of(tags: AudioTags): Uint8Array<ArrayBuffer> {
  const { title, artist, comment, lyrics, software } = containerTags(tags);
  const frames = [
    ...textFrame("TIT2", "", title),
    ...textFrame("TPE1", "", artist),
    ...textFrame("TSSE", "", software),
    // A language and an empty description come before the text of these.
    ...textFrame("COMM", "und\0", comment),
    ...textFrame("USLT", "und\0", lyrics),
  ];
  if (frames.length === 0) return new Uint8Array(0);
  return Uint8Array.from([...latin("ID3"), 4, 0, 0, ...synchsafe(frames.length), ...frames]);
}

function textFrame(id: string, before: string, text: string | undefined): number[] {
  if (text === undefined) return [];
  const utf8 = 3;
  const body = [utf8, ...latin(before), ...new TextEncoder().encode(text)];
  return [...latin(id), ...synchsafe(body.length), 0, 0, ...body];
}

/** 28 bits in four bytes whose highest bit is 0, so that no player takes a size for a frame. */
function synchsafe(size: number): number[] {
  return [21, 14, 7, 0].map((shift) => (size >> shift) & 127);
}

function latin(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}
