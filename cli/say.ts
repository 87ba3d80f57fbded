import { encode_json, encode_srt, encode_vtt } from "../audio/captions.ts";
import { writeFileAtomically } from "../checkpoint/node/atomic_file.ts";
import { checkGenerate, checkGenerationFits, checkVoiceFits } from "../bark/generate/options/generation_checks.ts";
import { readCheckpoint } from "../bark/load/bark_checkpoint.ts";
import { BarkModel } from "../bark/model.ts";
import type { BarkOutput, BarkStage } from "../bark/generate/output.ts";
import { processorOf, type BarkProcessor } from "../bark/text/processor.ts";
import { languageOf, prepareSpeech, speakPrepared, type PreparedSpeech } from "../speech/speak_text.ts";
import { SpeechMeter, type WholeProgress } from "../speech/meter.ts";
import { captionsOf, timed, type SpeechPiece, type SpokenPart } from "../speech/speech.ts";
import { lettersOf } from "../speech/split/measure.ts";
import { secondsBehind } from "../speech/stream/held_back.ts";
import { checkTakes, streamPrepared, voiceFile } from "../speech/stream/stream_text.ts";
import { SampleSpool } from "./files/sample_spool.ts";
import { isLive, openLiveFile, type LiveFile } from "./files/live_file.ts";
import type { OutputFile } from "./files/output_file.ts";
import { checkSoundFile, soundFile, tagsOf } from "./files/sound_file.ts";
import { HeldBack } from "./process/held_back.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { openModel } from "./files/model_location.ts";
import { findPlayer, startPlaying, type Playing } from "./process/play.ts";
import { print, printJson } from "./process/print.ts";
import { ProgressLine } from "./process/progress.ts";
import { describeWhole } from "./process/whole_line.ts";
import { parseSay, type SayOptions } from "./say_options.ts";
import { readText } from "./files/text_input.ts";

/** Semantic tokens for one id of text. Measured: 6 to 10 with nano; 15 characters a second, 4 to an id, make 13. */
const tokensPerId = 10;

/** `bark say`: text to a sound file. */
export async function say(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const options = await parseSay(args);
  const text = await readText(options.words, options.file, interrupt.signal);
  const began = performance.now();
  const progress = new ProgressLine();
  // --quiet silences the adapter's notice, never notices of lost text or a wrong sound.
  let isLoaded = false;
  const onNotice = (line: string): void => {
    if (!options.quiet || isLoaded) progress.note(line);
  };

  // Everything that can fail without the weights fails before they load.
  const player = options.play ? await findPlayer() : undefined;
  const store = await openModel(options.model, interrupt.signal, options);
  const checkpoint = await readCheckpoint(store, onNotice);
  const { config, generation_config: generation } = checkpoint;
  const processor = await processorOf(checkpoint, { onNotice: progress.note });
  // Checked by its own name, before the pieces are.
  const voice = options.voice === undefined ? null : await processor.loadVoice(options.voice);
  checkGenerationFits(generation, config, `${store.name}/generation_config.json`);
  if (voice !== null) checkVoiceFits(voice, generation, config, options.voice);
  checkGenerate(options.kwargs, voice, generation, config);
  const sizes = { sampling_rate: generation.sample_rate, channels: config.codec_config.audio_channels };
  await checkSoundFile(options, sizes);
  const { speech, kwargs, seed } = options;
  const language = speech.language ?? languageOf(options.voice);
  if (options.latency !== null) checkTakes({ ...speech, ...options.latency });
  // The stages of a stream take turns, and a line for each turn would be pages; most of the time is the coarse one's.
  const report: typeof progress.report = (event) => {
    if (options.latency === null || event.stage === "coarse") progress.report(event);
  };
  const prepared = await prepareSpeech(generation, processor, text, {
    ...{ ...speech, language, voice, seed, notice: progress.note },
    shortFirst: options.latency !== null,
    kwargs: { ...kwargs, signal: interrupt.signal },
    onProgress: options.quiet ? undefined : report,
  });

  const shared = { signal: interrupt.signal, ...(options.quiet ? {} : { on_progress: progress.report }) };
  try {
    const model = await BarkModel.from_checkpoint(checkpoint, { ...options.load, recover: true, onNotice, ...shared });
    isLoaded = true;
    const load = performance.now() - began;
    try {
      const playing = player && (await startPlaying(player, sizes, interrupt.signal));
      const tags = await tagsOf(text, options, model.dtype);
      const speakInto = async (sink: LiveFile | SampleSpool): Promise<void> => {
        const run = await speak(model, processor, prepared, options, progress, { playing, sink });
        progress.end();
        interrupt.check();
        const sound = sink instanceof SampleSpool ? soundFile(sink, options, sizes, tags) : undefined;
        await write(options, model, run, sound);
        if (!(sink instanceof SampleSpool)) await sink.finish();
        const result = describe(options, model, run, { load, total: performance.now() - began });
        if (options.json) printJson(result, options.report);
        else for (const line of summary(result)) print(line, options.report);
      };
      if (isLive(options)) {
        interrupt.left = "standard output holds what was spoken so far";
        await speakInto(await openLiveFile(options, sizes, tags));
      } else await SampleSpool.within(options.output.folder, speakInto);
      await playing?.finish();
    } finally {
      model.dispose();
    }
  } finally {
    progress.end();
  }
  return 0;
}

const silent = new Float32Array(0);

/** What all pieces made together. */
interface SayRun {
  readonly captions: readonly SpeechPiece[];
  /** Of each channel. */
  readonly samples: number;
  /** Of the first piece: the others keep its voice. */
  readonly first: BarkOutput;
  readonly tokens: { semantic: number; coarse: number; fine: number };
  readonly milliseconds: Record<BarkStage, number>;
  readonly whole: WholeProgress;
}

async function speak(
  model: BarkModel,
  processor: BarkProcessor,
  prepared: PreparedSpeech,
  { quiet, latency }: SayOptions,
  progress: ProgressLine,
  { playing, sink }: { playing: Playing | undefined; sink: Pick<LiveFile | SampleSpool, "push"> },
): Promise<SayRun> {
  const { semantic_pad_token } = model.generation_config.semantic_config;
  const planned = prepared.plan.pieces;
  const meter = new SpeechMeter(planned.map(({ text }) => text));
  const announce = (piece: number): void => {
    const ids = piece < planned.length ? processor.tokenizer.encode(planned[piece].text).length : 0;
    progress.expectedTokens = tokensPerId * ids;
    if (quiet || planned.length === 1 || piece === planned.length) return;
    progress.end();
    const far = piece === 0 ? "" : `${describeWhole(meter.whole)}; next: `;
    const start = JSON.stringify(startOf(planned[piece].text));
    progress.note(`${far}piece ${piece + 1} of ${planned.length}: ${start}`);
  };
  const parts: SpokenPart[] = [];
  const starts: number[] = [];
  const held = playing && new HeldBack((samples) => playing.push(samples));
  const tokens = { semantic: 0, coarse: 0, fine: 0 };
  const milliseconds = { semantic: 0, coarse: 0, fine: 0, codec: 0 };
  let first: BarkOutput | undefined;
  announce(0);
  const steps =
    latency === null
      ? timed(speakPrepared(model, processor, prepared))
      : streamPrepared(model, processor, prepared, latency);
  let samples = 0;
  for await (const { run, ...part } of steps) {
    // The sink alone keeps the sound.
    parts.push({ ...part, audio: silent });
    samples += part.audio.length;
    held?.add(part, secondsLeft(part, planned));
    await sink.push(part.audio);
    starts[part.piece] ??= part.start;
    if (run === undefined) continue;
    first ??= run;
    tokens.semantic += run.semantic[0].filter((id) => id !== semantic_pad_token).length;
    tokens.coarse += run.coarse[0].length;
    tokens.fine += run.fine.size;
    for (const stage of Object.keys(milliseconds) as BarkStage[]) milliseconds[stage] += run.milliseconds[stage];
    meter.add(part.text, part.end - starts[part.piece], part.attempts);
    announce(part.piece + 1);
  }
  held?.release();
  samples /= model.config.codec_config.audio_channels;
  return { captions: captionsOf(parts), samples, first: first!, tokens, milliseconds, whole: meter.whole };
}

/** About how long what follows a part will be. */
function secondsLeft(part: SpokenPart, planned: PreparedSpeech["plan"]["pieces"]): number {
  const letters = (pieces: typeof planned): number => pieces.reduce((sum, { text }) => sum + lettersOf(text), 0);
  return secondsBehind(part, letters(planned.slice(0, part.piece + 1)), letters(planned));
}

function startOf(text: string): string {
  const points = [...text.slice(0, 82)];
  return points.length > 40 ? `${points.slice(0, 40).join("")}…` : text;
}

/** The last file is the one on standard output: if nobody reads it, the other is written. */
async function write(
  options: SayOptions,
  model: BarkModel,
  run: SayRun,
  sound: AsyncIterable<Uint8Array> | undefined,
): Promise<void> {
  const { output, saveVoice, captions } = options;
  const files: { file: OutputFile; bytes: Uint8Array | AsyncIterable<Uint8Array> }[] = [];
  if (sound !== undefined) files.push({ file: output, bytes: sound });
  if (saveVoice !== undefined) files.push({ file: saveVoice, bytes: voiceFile(model, run.first) });
  for (const { kind, file } of captions)
    files.push({ file, bytes: new TextEncoder().encode(encodeCaptions[kind](run.captions)) });
  files.sort((a, b) => Number(a.file.isStandardOutput) - Number(b.file.isStandardOutput));
  for (const { file, bytes } of files) await writeFileAtomically(file.path, bytes);
}

const encodeCaptions = { srt: encode_srt, vtt: encode_vtt, json: captionsJson } as const;

/** A seed beyond 2^53 is no number of JSON. */
function captionsJson(captions: readonly SpeechPiece[]): string {
  return encode_json(captions.map((caption) => ({ ...caption, seed: String(caption.seed) })));
}

/** The fields of `--json`. */
interface SayResult {
  output: string;
  sample_rate: number;
  /** Of each channel. */
  samples: number;
  seconds: number;
  tokens: { semantic: number; coarse: number; fine: number };
  milliseconds: { load: number; semantic: number; coarse: number; fine: number; codec: number; total: number };
  adapter: string;
  software: boolean;
  dtype: string;
  seed: number;
  peak_gpu_bytes: number;
  /** Takes beyond the first of each piece. */
  retries: number;
  /** Above 1: speaking took longer than the sound lasts. */
  real_time_factor: number | null;
  /** What is heard when, in seconds; `source`: characters of the text. */
  pieces: {
    text: string;
    source: readonly [number, number];
    start: number;
    end: number;
    flags: readonly string[];
    attempts: number;
    words?: SpeechPiece["words"];
  }[];
}

function describe(
  options: SayOptions,
  model: BarkModel,
  run: SayRun,
  times: { load: number; total: number },
): SayResult {
  const { sample_rate } = model.generation_config;
  const milliseconds = { load: times.load, ...run.milliseconds, total: times.total };
  return {
    output: options.output.name,
    sample_rate,
    samples: run.samples,
    seconds: run.samples / sample_rate,
    tokens: run.tokens,
    milliseconds: Object.fromEntries(
      Object.entries(milliseconds).map(([stage, value]) => [stage, Math.round(value)]),
    ) as SayResult["milliseconds"],
    adapter: model.gpu.adapterName,
    software: model.gpu.isSoftware,
    dtype: model.dtype,
    seed: options.seed,
    peak_gpu_bytes: model.gpu.ledger.peakBytes,
    retries: run.whole.retries,
    real_time_factor: run.whole.real_time_factor,
    pieces: run.captions.map(({ text, source, start, end, flags, attempts, words }) => ({
      text,
      source,
      start,
      end,
      flags,
      attempts,
      ...(words && { words }),
    })),
  };
}

function summary({ output, seconds, milliseconds, adapter, software, dtype, seed }: SayResult): string[] {
  const inSeconds = (stage: keyof SayResult["milliseconds"]): string => (milliseconds[stage] / 1000).toFixed(1);
  const stages = (["load", "semantic", "coarse", "fine", "codec"] as const)
    .map((s) => `${s} ${inSeconds(s)}`)
    .join(", ");
  return [
    `${output}: ${seconds.toFixed(1)} s of speech in ${inSeconds("total")} s (${stages})`,
    `on ${adapter}${software ? " (software)" : ""}, weights ${dtype}, seed ${seed}`,
  ];
}
