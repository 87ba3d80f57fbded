import { concatSamples } from "../../audio/concat.ts";
import { Joiner } from "../../audio/join.ts";
import { Leveller } from "../../audio/level.ts";
import type { BarkOutput } from "../../bark/generate/output.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import type { LatencyOptions } from "../../bark/generate/options/stream_arguments.ts";
import { faultLine, faultsOf } from "../guard.ts";
import type { SpeechMeter } from "../meter.ts";
import type { PlannedPiece } from "../plan.ts";
import { PieceSpeaker, type SpeakingModel, type SpeakSettings, type SpokenPiece } from "../speak.ts";
import { wordTimer, type SpeechArguments } from "../speak_text.ts";
import type { SpokenPart } from "../speech.ts";

/** A part of a piece, and with the last one all that the run made. */
export interface PartWithRun extends SpokenPart {
  readonly run: BarkOutput | undefined;
}

/** What a stream speaks, piece by piece. */
export interface StreamRequest {
  /** Returns the silence at the end, in ms, where that was not known before. */
  readonly pieces: AsyncGenerator<PlannedPiece, number, undefined>;
  /** The silence behind the last of so many pieces, in ms, where it is known to be the last. */
  readonly endBehind: (pieces: number) => number;
  /** How many pieces are known. */
  readonly count: () => number;
  readonly settings: SpeakSettings;
  /** When the parts of a piece are given out; null: it is given out whole, since another take may be better. */
  readonly latency: (piece: number) => Required<LatencyOptions> | null;
  /** Estimates when each word is heard. */
  readonly words: boolean | undefined;
  /** Of whole pieces, in LUFS: a part does not tell how loud its piece will be. */
  readonly loudness: number | undefined;
  /** The only piece, which is neither cut nor faded. */
  readonly isAlone: boolean;
  /** Of all pieces, where they are known. */
  readonly meter?: SpeechMeter;
  readonly onProgress: SpeechArguments["onProgress"];
  readonly notice: (line: string) => void;
}

/** Speaks pieces as they come, and gives out their parts as they are made. */
export async function* speakStream(
  model: SpeakingModel,
  processor: BarkProcessor,
  { pieces, endBehind, count, settings, latency, words, loudness, isAlone, meter, onProgress, notice }: StreamRequest,
): AsyncGenerator<PartWithRun, void, undefined> {
  const { sample_rate: sampling_rate } = model.generation_config;
  let piece = 0;
  const speaker = new PieceSpeaker(model, processor, settings, (progress) => {
    onProgress?.({ ...progress, piece, pieces: count(), ...(meter && { whole: meter.whole }) });
  });
  const joiner = new Joiner(sampling_rate, isAlone ? { threshold: -Infinity, fade: 0 } : {});
  const seconds = (samples: number): number => samples / sampling_rate;
  const leveller = loudness === undefined ? undefined : new Leveller(sampling_rate, loudness);
  const timer = words && (await wordTimer(model, processor, settings, notice));
  let last: PartWithRun | undefined;
  for (;;) {
    const planned = await pieces.next();
    if (planned.done === true) {
      if (planned.value > 0 && last !== undefined) yield silenceBehind(last, joiner.silence(planned.value));
      return;
    }
    const { text, source, voice, gap, changes } = planned.value;
    const place = { sampling_rate, piece, pieces: count(), text, source, voice, ...(changes && { changes }) };
    const how = latency(piece);
    const parts = how === null ? wholeOf(speaker, planned.value, leveller) : speaker.stream(planned.value, how);
    let start: number | undefined;
    joiner.begin(gap);
    for (;;) {
      const { done, value } = await parts.next();
      if (done === true) {
        const { flags, attempts, seed, run } = value;
        if (faultsOf(flags).length > 0) notice(faultLine("a piece", text, flags, attempts));
        const end = joiner.end();
        const times = { start: seconds(start ?? end.start), end: seconds(end.end) };
        meter?.add(text, seconds(value.audio.length), attempts);
        const behind = endBehind(piece + 1);
        const audio = behind > 0 ? concatSamples([end.audio, joiner.silence(behind)]) : end.audio;
        const timed = timer && (await timer.of(planned.value, value, end));
        last = { ...place, ...times, audio, flags, attempts, seed, run, is_last: true, ...timed };
        yield last;
        break;
      }
      const audio = joiner.push(value);
      // Nothing of it is settled yet.
      if (audio.length === 0) continue;
      const times = { start: seconds(start ?? joiner.start), end: seconds(joiner.position) };
      start = joiner.position;
      const { seed } = settings;
      yield { ...place, ...times, audio, flags: [], attempts: 1, seed, run: undefined, is_last: false };
    }
    piece++;
  }
}

/** The best take of a piece, in one part. */
async function* wholeOf(
  speaker: PieceSpeaker,
  piece: PlannedPiece,
  leveller: Leveller | undefined,
): AsyncGenerator<Float32Array<ArrayBuffer>, SpokenPiece, undefined> {
  for await (const spoken of speaker.speak([piece])) {
    yield leveller?.level(spoken.audio) ?? spoken.audio;
    return spoken;
  }
  throw new Error("a piece is spoken");
}

/** A pause behind the last words, of which nobody knew that they are the last. */
function silenceBehind(last: PartWithRun, audio: Float32Array<ArrayBuffer>): PartWithRun {
  const { end, source, words, words_are, ...rest } = last;
  void [words, words_are];
  return { ...rest, audio, text: "", source: [source[1], source[1]], start: end, end, run: undefined, is_last: false };
}
