import { latencyOf, type LatencyOptions } from "../../bark/generate/options/stream_arguments.ts";
import type { BarkOutput } from "../../bark/generate/output.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import { writeNpz } from "../../checkpoint/numpy/npz.ts";
import { EngineError } from "../../engine/errors.ts";
import { SpeechMeter } from "../meter.ts";
import { nothingToSay, type PlannedPiece, type SpeechInput } from "../plan.ts";
import { voiceOf, type SpeakingModel, type SpeakSettings } from "../speak.ts";
import {
  takesAreOpen,
  isSpeakable,
  planOptionsOf,
  prepareSpeech,
  settingsOf,
  speakPrepared,
  type PreparedSpeech,
  type SpeechArguments,
} from "../speak_text.ts";
import { timed, type StreamedPiece } from "../speech.ts";
import { livePieces, type Waiting } from "./live_pieces.ts";
import type { LiveText } from "./pushes.ts";
import { speakStream, type PartWithRun, type StreamRequest } from "./speak_stream.ts";

export interface StreamArguments extends SpeechArguments, LatencyOptions {}

type StreamedPart = PartWithRun & StreamedPiece;

/** Speaks a text, or one that is still being written, and gives out what is spoken, with the time that it takes. */
export async function* streamText(
  model: SpeakingModel,
  processor: BarkProcessor,
  input: SpeechInput | LiveText,
  given: StreamArguments,
): AsyncGenerator<StreamedPart, void, undefined> {
  const options = { ...given, shortFirst: true };
  checkTakes(options);
  if (isLive(input) && given.split !== "none") return yield* streamLive(model, processor, input, options);
  const text = isLive(input) ? await wholeOf(input) : input;
  yield* streamPrepared(
    model,
    processor,
    await prepareSpeech(model.generation_config, processor, text, options),
    given,
  );
}

/** The tokens of a run as a file of a voice. */
export function voiceFile(model: SpeakingModel, run: BarkOutput): Uint8Array<ArrayBuffer> {
  return writeNpz({ ...voiceOf(model, run) });
}

/** A prepared text as a stream. */
export async function* streamPrepared(
  model: SpeakingModel,
  processor: BarkProcessor,
  prepared: PreparedSpeech,
  given: LatencyOptions,
): AsyncGenerator<StreamedPart, void, undefined> {
  const { plan, settings, words, loudness, onProgress, notice } = prepared;
  const latency = partsOf(model, prepared, given);
  const { pieces, end } = plan;
  const isAlone = pieces.length === 1 && pieces[0].gap === 0 && end === 0;
  const steps: AsyncIterable<PartWithRun> =
    latency(0) === null
      ? speakPrepared(model, processor, prepared)
      : speakStream(model, processor, {
          ...{ pieces: planned(pieces), count: () => pieces.length, latency, words, loudness, isAlone },
          meter: new SpeechMeter(pieces.map(({ text }) => text)),
          endBehind: (count) => (count === pieces.length ? end : 0),
          ...{ settings: onlyTake(settings, given), onProgress, notice },
        });
  yield* timed(steps);
}

async function* streamLive(
  model: SpeakingModel,
  processor: BarkProcessor,
  input: LiveText,
  given: StreamArguments,
): AsyncGenerator<StreamedPart, void, undefined> {
  const { onProgress, notice, kwargs, loudness } = given;
  const waiting: Waiting = { milliseconds: 0 };
  const voices = new Map<string, Awaited<ReturnType<BarkProcessor["loadVoice"]>>>();
  const settings = { ...(await settingsOf(processor, { pieces: [] }, given)), voices };
  const latency = partsOf(model, { settings, loudness, takesAreOpen: takesAreOpen(given) }, given);
  let count = 0;
  const plan = await planOptionsOf(model.generation_config, processor, given);
  const live = livePieces(
    input,
    { ...plan, shortFirst: false },
    { signal: kwargs.signal ?? undefined, notice, waiting },
  );
  const steps = speakStream(model, processor, {
    endBehind: () => 0,
    ...{
      pieces: spoken(),
      count: () => count,
      latency,
      words: given.words,
      loudness,
      isAlone: false,
    },
    ...{ settings: onlyTake(settings, given), onProgress, notice },
  });
  yield* timed(steps, () => waiting.milliseconds);

  /** Pieces with a word and a voice that is there. */
  async function* spoken(): AsyncGenerator<PlannedPiece, number, undefined> {
    for (;;) {
      const { done, value } = await live.next();
      if (done === true) {
        if (count === 0) throw nothingToSay();
        return value;
      }
      if (!isSpeakable(value, processor)) {
        notice(
          `holds no word of the checkpoint's vocabulary and is left out: ${JSON.stringify(value.text.slice(0, 20))}`,
        );
        continue;
      }
      const { voice } = value;
      if (voice !== null && !voices.has(voice))
        voices.set(voice, await processor.loadVoice(voice, { names_only: true }));
      count++;
      yield value;
    }
  }
}

/**
 * When the parts of a piece are given out; null where another take may be better, or the codec or a batch wants it whole.
 * Unless the caller asks for takes, the first piece is heard in its only one: a listener waits for it alone.
 */
function partsOf(
  model: SpeakingModel,
  { settings, loudness, takesAreOpen }: Pick<PreparedSpeech, "settings" | "loudness" | "takesAreOpen">,
  given: LatencyOptions,
): StreamRequest["latency"] {
  const latency = latencyOf(given);
  const { use_causal_conv, trim_right_ratio, audio_channels } = model.config.codec_config;
  const canStream = use_causal_conv && trim_right_ratio === 1 && audio_channels === 1;
  const isWhole = settings.takes > 1 || settings.batch > 1 || loudness !== undefined || !canStream;
  if (latency.latency === "low") return () => latency;
  return (piece) => (!isWhole && (settings.retries === 0 || (takesAreOpen && piece === 0)) ? latency : null);
}

/** What was heard early cannot be spoken again. @throws EngineError `usage` naming what would be ignored. */
export function checkTakes({
  latency,
  retries = 0,
  takes = 1,
  batch = 1,
  loudness,
}: Pick<StreamArguments, "latency" | "retries" | "takes" | "batch" | "loudness">): void {
  if (latency !== "low") return;
  const given = { retries, takes: takes - 1, batch: batch - 1, loudness: loudness === undefined ? 0 : 1 };
  const wrong = Object.entries(given).find(([, more]) => more > 0)?.[0];
  if (wrong === undefined) return;
  throw new EngineError("usage", 'does not go with latency "low", whose pieces are heard while they are made', {
    where: wrong,
    fix: 'leave it out, or give latency: "exact"',
  });
}

function onlyTake(settings: SpeakSettings, { latency }: LatencyOptions): SpeakSettings {
  return latency === "low" ? { ...settings, retries: 0 } : settings;
}

function isLive(input: SpeechInput | LiveText): input is LiveText {
  return typeof input !== "string" && Symbol.asyncIterator in input;
}

async function wholeOf(text: LiveText): Promise<string> {
  let whole = "";
  for await (const part of text) whole += part;
  return whole;
}

async function* planned(pieces: readonly PlannedPiece[]): AsyncGenerator<PlannedPiece, number, undefined> {
  yield* pieces;
  return 0;
}
