import path from "node:path";
import { checkGenerate, checkGenerationFits, checkVoiceFits } from "../bark/generate/options/generation_checks.ts";
import { readCheckpoint, type BarkCheckpoint } from "../bark/load/bark_checkpoint.ts";
import { fingerprintOf } from "../bark/load/fingerprint.ts";
import { BarkModel } from "../bark/model.ts";
import { processorOf, type BarkProcessor } from "../bark/text/processor.ts";
import { defined } from "../engine/check/defined.ts";
import { EngineError } from "../engine/errors.ts";
import { fileNameOf } from "../speech/book/chapters.ts";
import { chapterFile, samplesOf, writeBook, writeSample, type BookOutput } from "../speech/book/outputs.ts";
import { PieceFiles, type StoredPiece } from "../speech/book/pieces.ts";
import { uniquePieces, type BookPiece, type BookPlan } from "../speech/book/plan.ts";
import { prepareBook } from "../speech/book/prepare_book.ts";
import { BookSpeaker } from "../speech/book/speak_book.ts";
import type { BookStore } from "../speech/book/store.ts";
import { SpeechMeter } from "../speech/meter.ts";
import type { SpeakSettings } from "../speech/speak.ts";
import { settingsOf } from "../speech/speak_text.ts";
import { parseBook, readBookFile, type BookOptions } from "./book_options.ts";
import type { BookFarm } from "./farm/book_farm.ts";
import { inBookFolder } from "./files/book_folder.ts";
import { openModel } from "./files/model_location.ts";
import { checkSoundFile, named } from "./files/sound_file.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { hasFfmpeg, writeM4b } from "./process/m4b.ts";
import { print, printJson } from "./process/print.ts";
import { ProgressLine } from "./process/progress.ts";
import { version } from "./process/version.ts";
import { describeWhole, WholeLine } from "./process/whole_line.ts";

/** `bark book`: a whole book to a folder of sound files; stopped at any moment, the same command goes on. */
export async function book(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const options = await parseBook(args);
  const line = new WholeLine();
  if (options.farm === undefined) {
    interrupt.left = "the same command goes on with what was spoken";
    await speakBook(options, undefined, line, interrupt);
    return 0;
  }
  // Loaded here: who speaks on one machine has no use for it.
  const { BookFarm, stoppedLine } = await import("./farm/book_farm.ts");
  const { action } = options.farm;
  const farm = await BookFarm.open(options.farm, options.folder, line.note);
  try {
    if (action === "pause" || action === "cancel") {
      await farm.stop(action);
      print(stoppedLine(action));
    } else {
      interrupt.left = "the farm goes on; the same command attaches again, and with --cancel stops it";
      await speakBook(options, farm, line, interrupt);
    }
  } finally {
    await farm.close();
  }
  return 0;
}

async function speakBook(
  options: BookOptions,
  farm: BookFarm | undefined,
  line: WholeLine,
  interrupt: Interrupt,
): Promise<void> {
  const content = await readBookFile(options.file);
  const store = await openModel(options.model, interrupt.signal, options);
  const checkpoint = await readCheckpoint(store, line.note);
  const { config, generation_config: generation } = checkpoint;
  const processor = await processorOf(checkpoint, { onNotice: line.note });
  const voice = options.voice === undefined ? null : await processor.loadVoice(options.voice);
  checkGenerationFits(generation, config, `${store.name}/generation_config.json`);
  if (voice !== null) checkVoiceFits(voice, generation, config, options.voice);
  checkGenerate(options.kwargs, voice, generation, config);
  const channels = config.codec_config.audio_channels;
  if (channels !== 1)
    throw new EngineError("usage", "pieces of more than one channel are not joined", {
      actual: `${channels} channels`,
    });
  await checkSoundFile(options, { sampling_rate: generation.sample_rate, channels });
  const work = async (folder: BookStore): Promise<void> => {
    if (content === undefined) await requirePlan(folder, options.file, line.note);
    const { retries = 2, takes = 1, language, cast, gaps, normalize, lexicon } = options.speech;
    const plan = await prepareBook(folder, generation, processor, {
      file: path.basename(options.file),
      content,
      voice: voice && { name: named(options.voice!), tokens: voice },
      settings: {
        version: await version(),
        checkpoint: await fingerprintOf(store),
        dtype: options.load.dtype ?? "as stored",
        seed: options.seed === undefined ? undefined : String(options.seed),
        retries,
        takes,
        kwargs: options.kwargs,
      },
      planning: defined({ language, cast, gaps, normalize, lexicon }),
      notice: line.note,
    });
    await new BookRun(options, checkpoint, processor, plan, folder, line, interrupt, farm).run();
  };
  // Machines of a farm work in one folder at once: what one stores is what another would.
  if (farm === undefined) await inBookFolder(options.folder, interrupt.signal, work);
  else await work(farm.folder);
}

/** A book whose file is gone goes on from its plan. @throws EngineError `bad-input` if its folder has none. */
async function requirePlan(folder: BookStore, file: string, notice: (line: string) => void): Promise<void> {
  if ((await folder.read("plan.json")) === undefined)
    throw new EngineError("bad-input", "no such file", { where: file, fix: "give a .txt, .md, .epub, .srt or .vtt" });
  notice(`${file} is gone: the plan in ${folder.name} goes on`);
}

/** Seconds of a sample. */
const sampleLength = 60;

class BookRun {
  readonly #options: BookOptions;
  readonly #checkpoint: BarkCheckpoint;
  readonly #processor: BarkProcessor;
  readonly #plan: BookPlan;
  readonly #folder: BookStore;
  readonly #line: WholeLine;
  readonly #interrupt: Interrupt;
  readonly #farm: BookFarm | undefined;
  readonly #files: PieceFiles;
  readonly #meter: SpeechMeter;
  /** By key: a text that comes twice is spoken once. */
  readonly #stored = new Map<string, StoredPiece>();
  readonly #began = performance.now();
  #model: { adapter: string; software: boolean; dtype: string; peak_gpu_bytes: number } | undefined;

  constructor(
    options: BookOptions,
    checkpoint: BarkCheckpoint,
    processor: BarkProcessor,
    plan: BookPlan,
    folder: BookStore,
    line: WholeLine,
    interrupt: Interrupt,
    farm: BookFarm | undefined,
  ) {
    this.#farm = farm;
    this.#options = options;
    this.#checkpoint = checkpoint;
    this.#processor = processor;
    this.#plan = plan;
    this.#folder = folder;
    this.#line = line;
    this.#interrupt = interrupt;
    this.#files = new PieceFiles(folder, this.#rate);
    this.#meter = new SpeechMeter(uniquePieces(plan).map(({ text }) => text));
  }

  get #rate(): number {
    return this.#checkpoint.generation_config.sample_rate;
  }

  async run(): Promise<void> {
    const missing = await this.#findMissing();
    const reused = this.#stored.size;
    if (reused > 0) this.#line.note(`${reused} of ${reused + missing.length} pieces are spoken already`);
    if (missing.length > 0 && !this.#isEnough())
      await (this.#farm === undefined ? this.#speak(missing) : this.#speakByFarm(this.#farm, missing));
    this.#line.end();
    this.#interrupt.check();
    if (this.#farm?.isDetached && this.#stored.size < uniquePieces(this.#plan).length) return this.#leave();
    const { whole } = this.#meter;
    const result = this.#options.sample ? await this.#writeSample() : await this.#writeBook();
    const facts = {
      folder: this.#folder.name,
      ...result,
      sample_rate: this.#rate,
      spoken: this.#stored.size - reused,
      reused,
      real_time_factor: whole.real_time_factor,
      ...this.#model,
      seed: this.#plan.settings.seed,
      milliseconds: Math.round(performance.now() - this.#began),
    };
    await this.#farm?.finish();
    if (this.#options.json) printJson(facts);
    else
      print(
        `${this.#folder.name}: ${result.files.length} files, ${result.seconds.toFixed(1)} s; ${describeWhole(whole)}`,
      );
  }

  async #findMissing(): Promise<BookPiece[]> {
    const missing: BookPiece[] = [];
    for (const piece of uniquePieces(this.#plan)) {
      this.#interrupt.check();
      const found = await this.#files.find(piece, this.#line.note);
      if (found === undefined) missing.push(piece);
      else this.#take(piece, found, false);
    }
    return missing;
  }

  #take(piece: BookPiece, stored: StoredPiece, isNew: boolean): void {
    this.#stored.set(piece.key, stored);
    this.#meter.add(piece.text, stored.samples / this.#rate, stored.attempts, isNew);
  }

  async #speak(missing: readonly BookPiece[]): Promise<void> {
    const options = this.#options;
    const { signal } = this.#interrupt;
    const progress = new ProgressLine();
    const quiet = options.quiet ? {} : { on_progress: progress.report };
    const onNotice = options.quiet ? () => undefined : this.#line.note;
    const model = await BarkModel.from_checkpoint(this.#checkpoint, {
      ...{ ...options.load, recover: true, onNotice, signal },
      ...quiet,
    });
    progress.end();
    try {
      const context = { store: this.#folder, files: this.#files, notice: this.#line.note };
      const speaker = new BookSpeaker(model, this.#processor, this.#plan, await this.#settings(), context);
      const report = options.quiet ? () => undefined : this.#line.report;
      for await (const { piece, stored } of speaker.speak(missing, (stage) => report(this.#meter.whole, stage))) {
        this.#take(piece, stored, true);
        report(this.#meter.whole);
        if (this.#isEnough()) break;
      }
      const { gpu, dtype } = model;
      const { adapterName: adapter, isSoftware: software, ledger } = gpu;
      this.#model = { adapter, software, dtype, peak_gpu_bytes: ledger.peakBytes };
    } finally {
      model.dispose();
    }
  }

  async #settings(): Promise<SpeakSettings> {
    const { speech, kwargs, voice = null } = this.#options;
    const { settings } = this.#plan;
    return await settingsOf(this.#processor, this.#plan, {
      ...{ ...speech, ...settings, kwargs: { ...kwargs, signal: this.#interrupt.signal } },
      ...{ seed: BigInt(settings.seed), voice, notice: this.#line.note },
    });
  }

  async #speakByFarm(farm: BookFarm, missing: readonly BookPiece[]): Promise<void> {
    const { signal } = this.#interrupt;
    const task = { plan: this.#plan, files: this.#files, settings: await this.#settings(), signal };
    for await (const { piece, stored } of farm.speak(task, missing)) {
      this.#take(piece, stored, true);
      if (!this.#options.quiet) this.#line.report(this.#meter.whole);
    }
  }

  /** The farm goes on alone. */
  #leave(): void {
    const pieces = uniquePieces(this.#plan).length;
    const facts = { folder: this.#folder.name, pieces, spoken: this.#stored.size };
    if (this.#options.json) printJson(facts);
    else print(`${facts.folder}: ${pieces} pieces are in the farm; the same command without --detach waits for them`);
  }

  /** Pieces from the beginning of the book that are spoken without a gap. */
  #spokenStart(): StoredPiece[] {
    const start: StoredPiece[] = [];
    let seconds = 0;
    for (const { key } of this.#plan.pieces) {
      const stored = this.#stored.get(key);
      if (stored === undefined || (this.#options.sample && seconds >= sampleLength)) break;
      start.push(stored);
      seconds += stored.samples / this.#rate;
    }
    return start;
  }

  /** Whether the sample is spoken. */
  #isEnough(): boolean {
    if (!this.#options.sample) return false;
    const samples = this.#spokenStart().reduce((sum, { samples }) => sum + samples, 0);
    return samples / this.#rate >= sampleLength;
  }

  #output(): BookOutput {
    const { audioFormat: format, bitrate, model } = this.#options;
    return {
      ...{ plan: this.#plan, store: this.#folder, files: this.#files, stored: this.#spokenStart(), rate: this.#rate },
      ...{ format, bitrate, checkpoint: named(model), signal: this.#interrupt.signal, notice: this.#line.note },
    };
  }

  async #writeSample() {
    const { names, seconds } = await writeSample(this.#output());
    return { files: names, seconds };
  }

  async #writeBook() {
    const output = this.#output();
    // A worker speaks a bad piece as well as it can: whether the book may have one is for who joins it.
    if (this.#options.speech.strict === true) this.#farm?.requireGood(output.stored);
    const report = await writeBook(output);
    const files = [...report.files, "report.json"];
    const m4b = `${fileNameOf(this.#plan.title)}.m4b`;
    if (this.#farm?.isOnDisk === false) this.#line.note(`there is no ${m4b}: it is made where the store is a folder`);
    else if (await hasFfmpeg()) {
      const [file, metadata] = [m4b, chapterFile].map((name) => path.join(this.#folder.name, name));
      const whole = { from: 0, to: this.#plan.pieces.length };
      const samples = samplesOf(output, whole);
      await writeM4b(file, metadata, samples, { rate: this.#rate, bitrate: this.#options.bitrate ?? 64 });
      files.push(m4b);
    } else this.#line.note(`there is no ${m4b}: it is made by ffmpeg, which is not on the PATH`);
    const { seconds, retries, flagged, overruns, pieces, chapters, lost = 0 } = report;
    if (flagged > 0) this.#line.note(`${flagged} of ${pieces.length} pieces may be bad: report.json names them`);
    if (lost > 0) this.#line.note(`${lost} pieces could not be spoken, and are silent: report.json names them`);
    if (overruns > 0) this.#line.note(`${overruns} captions last longer than they may: report.json names them`);
    const counts = { pieces: pieces.length, chapters: chapters.length, retries, flagged, overruns };
    return { files, seconds, ...counts, ...(lost > 0 && { lost }) };
  }
}
