import { encode_json, encode_srt, encode_vtt, type Cue } from "../../audio/captions.ts";
import { open_encoder } from "../../audio/encode/encoder.ts";
import { audioFormats, type AudioFormat } from "../../audio/encode/formats.ts";
import type { AudioTags } from "../../audio/encode/tags.ts";
import { encode_ffmetadata } from "../../audio/ffmetadata.ts";
import { EngineError } from "../../engine/errors.ts";
import type { OnNotice } from "../../engine/notice.ts";
import { chaptersOf, fileNameOf, type BookChapter } from "./chapters.ts";
import type { PieceFiles, StoredPiece } from "./pieces.ts";
import type { BookPlan } from "./plan.ts";
import { reportOf, type BookReport, type Place } from "./report.ts";
import { jsonBytes, type BookStore } from "./store.ts";
import { joinedPieces, type Stretch } from "./timeline.ts";

/** What a book's files are made of. */
export interface BookOutput {
  readonly plan: BookPlan;
  readonly store: BookStore;
  readonly files: PieceFiles;
  /** By piece; those that are spoken. */
  readonly stored: readonly StoredPiece[];
  /** Samples a second. */
  readonly rate: number;
  readonly format: AudioFormat;
  /** kbit/s of a lossy format. */
  readonly bitrate?: number | undefined;
  /** Name of the checkpoint, for the tags. */
  readonly checkpoint: string;
  readonly signal?: AbortSignal | undefined;
  readonly notice: OnNotice;
}

export const reportFile = "report.json";
export const chapterFile = "chapters.ffmetadata";
/** Of a WAV file with its header; its sizes have 32 bits. */
const mostWavSamples = (2 ** 32 - 2 ** 16) / 2;

/**
 * Joins the stored pieces of a book: each chapter and the whole as sound and captions, chapters as FFmpeg reads them, and a
 * report. The same pieces make the same bytes.
 */
export async function writeBook(output: BookOutput): Promise<BookReport> {
  const { plan, store } = output;
  const before = await oldFiles(store);
  const chapters = chaptersOf(plan);
  const written: string[] = [];
  for (const chapter of chapters)
    written.push(...(await writeStretch(output, chapter.file, chapter, chapter.title)).names);
  const name = fileNameOf(plan.title);
  const whole = { from: 0, to: plan.pieces.length };
  const { names, places, seconds } = await writeStretch(output, name, whole, plan.title);
  const marks = markChapters(chapters, places, seconds);
  const tags = { title: plan.title, artist: plan.author ?? undefined };
  await store.write(chapterFile, new TextEncoder().encode(encode_ffmetadata(tags, marks)));
  written.push(...names, chapterFile);
  const report = reportOf(output, { places, seconds, chapters: marks, files: written });
  await store.write(reportFile, jsonBytes(report));
  // What an earlier state of the book named otherwise would be taken for a part of this one.
  for (const file of before) if (!written.includes(file)) await store.remove(file);
  return report;
}

/** The first pieces of a book as `sample`. @returns the names of its files, and its length. */
export async function writeSample(output: BookOutput): Promise<{ names: string[]; seconds: number }> {
  const stretch = { from: 0, to: output.stored.length };
  return await writeStretch(output, "sample", stretch, `${output.plan.title} (sample)`);
}

async function oldFiles(store: BookStore): Promise<readonly string[]> {
  try {
    const bytes = await store.read(reportFile);
    return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as BookReport).files : [];
  } catch {
    return []; // It is written anew.
  }
}

/** A stretch as sound and captions. */
async function writeStretch(
  output: BookOutput,
  file: string,
  stretch: Stretch,
  title: string,
): Promise<{ names: string[]; places: Place[]; seconds: number }> {
  const { plan, store, rate, format } = output;
  // Twice through the pieces: the headers of WAV and FLAC say how long the sound is.
  const places: Place[] = [];
  let samples = 0;
  for await (const { audio, start, end } of joinedPieces(plan, stretch, output.files, rate)) {
    places.push({ start: start / rate, end: end / rate });
    samples += audio.length;
  }
  const cues = places.map(({ start, end }, i): Cue => {
    const { text, source } = plan.pieces[stretch.from + i];
    return { text, start, end, source };
  });
  const texts = { srt: encode_srt(cues), vtt: encode_vtt(cues), json: encode_json(cues) };
  const names = Object.keys(texts).map((ending) => `${file}.${ending}`);
  for (const [ending, text] of Object.entries(texts))
    await store.write(`${file}.${ending}`, new TextEncoder().encode(text));
  const sound = `${file}${audioFormats[format].endings[0]}`;
  if (format === "wav" && samples > mostWavSamples)
    output.notice(`${sound} would be over 4 GiB, which a WAV file cannot hold: give another --audio-format`);
  else if (samples === 0) output.notice(`${sound}: there is nothing to hear`);
  else {
    await store.write(sound, encoded(output, stretch, samples, title));
    names.unshift(sound);
  }
  return { names, places, seconds: samples / rate };
}

/** The samples of a stretch, some seconds at a time. */
export async function* samplesOf(
  { plan, files, rate, signal }: Pick<BookOutput, "plan" | "files" | "rate" | "signal">,
  stretch: Stretch,
): AsyncGenerator<Float32Array<ArrayBuffer>, void, undefined> {
  for await (const { audio } of joinedPieces(plan, stretch, files, rate)) {
    if (signal?.aborted) throw new EngineError("aborted", "stopped while files were written", { where: plan.title });
    yield audio;
  }
}

async function* encoded(
  output: BookOutput,
  stretch: Stretch,
  samples: number,
  title: string,
): AsyncGenerator<Uint8Array> {
  const { rate, format, bitrate, plan } = output;
  const { seed, kwargs, dtype, version } = plan.settings;
  const tags: AudioTags = {
    title,
    ...(plan.voice.name === null ? {} : { voice: plan.voice.name }),
    seed: BigInt(seed),
    checkpoint: output.checkpoint,
    settings: { ...kwargs, dtype },
    software: `bark-webgpu ${version}`,
  };
  const options = { sampling_rate: rate, samples, tags, ...(bitrate === undefined ? {} : { bitrate }) };
  const encoder = await open_encoder(format, options);
  for await (const part of samplesOf(output, stretch)) yield await encoder.push(part);
  yield await encoder.finish();
}

/** Chapters in the whole; each lasts to the beginning of the next. */
function markChapters(chapters: readonly BookChapter[], places: readonly Place[], seconds: number) {
  const starts = chapters.map(({ from }, i) => (i === 0 ? 0 : places[from].start));
  return chapters.map(({ title, file, from, to }, i) => {
    return { title, file, from, to, start: starts[i], end: starts[i + 1] ?? seconds };
  });
}
