import { Joiner } from "../audio/join.ts";
import { randomSeed, type BarkGenerateKwargs } from "../bark/generate/generate_arguments.ts";
import type { BarkProgress } from "../bark/generate/output.ts";
import type { BarkModel } from "../bark/model.ts";
import type { BarkProcessor } from "../bark/text/processor.ts";
import type { HistoryPrompt } from "../bark/voice/history_prompt.ts";
import type { VoicePreset } from "../bark/voice/voices.ts";
import { EngineError } from "../engine/errors.ts";
import { faultsOf } from "./guard.ts";
import { planSpeech, type PlanOptions, type SpeechInput, type SpeechPlan } from "./plan.ts";
import { PieceSpeaker, type SpeakSettings, type SpokenPiece } from "./speak.ts";
import type { StreamedPiece } from "./speech.ts";

/** Progress of a stage, and of the whole. */
export interface SpeechProgress extends BarkProgress {
  /** The piece that is spoken, from 0. */
  readonly piece: number;
  readonly pieces: number;
}

/** What {@link speakText} is given: options of planning and joining, and settings of the speaker. */
export interface SpeechArguments
  extends Omit<PlanOptions, "fits" | "goal" | "most">, Partial<Pick<SpeakSettings, "retries" | "strict" | "verify">> {
  readonly kwargs: Omit<BarkGenerateKwargs, "input_ids" | "history_prompt" | "seed" | "on_progress">;
  readonly seed?: bigint | number | null;
  readonly voice?: VoicePreset | null;
  readonly split?: "auto" | "none";
  readonly onProgress?: ((progress: SpeechProgress) => void) | undefined;
  /** Called with one line for the user. */
  readonly notice: (line: string) => void;
}

/** Speaks a text piece by piece, and gives each out with its place in the text and in the sound. */
export async function* speakText(
  model: BarkModel,
  processor: BarkProcessor,
  input: SpeechInput,
  given: SpeechArguments,
): AsyncGenerator<StreamedPiece, void, undefined> {
  const plan =
    given.split === "none"
      ? wholePlan(input)
      : planSpeech(input, { ...limitsOf(model, processor), ...given, language: languageOf(given) });
  for (const line of plan.notices) given.notice(line);
  const { audio_channels: channels } = model.config.codec_config;
  const pieces = plan.pieces.length;
  // All names are looked up before the first sound.
  const settings = await settingsOf(processor, plan, given);
  let piece = 0;
  const report = given.onProgress && ((progress: BarkProgress) => given.onProgress!({ ...progress, piece, pieces }));
  const speaker = new PieceSpeaker(model, processor, {
    ...settings,
    kwargs: { ...given.kwargs, on_progress: report ?? null },
  });
  const { sample_rate: sampling_rate } = model.generation_config;
  const joiner = new Joiner(sampling_rate);
  for (; piece < pieces; piece++) {
    const { text, source, voice, gap } = plan.pieces[piece];
    const spoken = await speaker.speak(plan.pieces[piece]);
    if (faultsOf(spoken.flags).length > 0 && pieces + spoken.attempts > 2) given.notice(faultLine(plan, piece, spoken));
    const isAlone = pieces === 1 && gap === 0 && plan.end === 0;
    if (!isAlone && channels !== 1)
      throw new EngineError("usage", "pieces of more than one channel are not joined", {
        where: "split",
        expected: '"none"',
        actual: `${channels} channels`,
      });
    const joined = isAlone
      ? { audio: spoken.audio, start: 0, end: spoken.audio.length / channels }
      : joiner.add(spoken.audio, gap);
    const audio =
      piece + 1 < pieces || plan.end === 0 ? joined.audio : followedBy(joined.audio, joiner.silence(plan.end));
    const { flags, attempts, seed } = spoken;
    yield {
      audio,
      sampling_rate,
      piece,
      pieces,
      text,
      source,
      voice,
      start: joined.start / sampling_rate,
      end: joined.end / sampling_rate,
      flags,
      attempts,
      seed,
    };
  }
}

/** One run of the model, which cuts what it cannot hold. */
function wholePlan(input: SpeechInput): SpeechPlan {
  if (typeof input !== "string")
    throw new EngineError("usage", "turns of several speakers are pieces", {
      where: "split",
      expected: '"auto"',
      actual: "none",
    });
  return {
    version: 1,
    pieces: [{ text: input, source: [0, input.length], voice: null, gap: 0 }],
    chapters: [],
    end: 0,
    notices: [],
  };
}

/** Letters that a voice says in a second, less a reserve: a slow voice must end before the tokens do. */
const lettersPerSecond = 13;

/** How long a piece may be for a checkpoint: its slots of text, and its tokens of speech. */
export function limitsOf(
  { generation_config }: BarkModel,
  processor: BarkProcessor,
): Pick<PlanOptions, "most" | "goal" | "fits"> {
  const { max_input_semantic_length: slots, max_new_tokens, semantic_rate_hz } = generation_config.semantic_config;
  const most = Math.min(200, Math.floor((max_new_tokens / semantic_rate_hz) * lettersPerSecond));
  return {
    most,
    goal: Math.min(160, Math.round(0.8 * most)),
    fits: (text) => processor.tokenizer.encode(text).length <= slots,
  };
}

/** `v2/de_speaker_3` speaks German. */
function languageOf({ language, voice }: SpeechArguments): string {
  const ofVoice = typeof voice === "string" ? /(?:^|\/)([a-z]{2})_speaker_/.exec(voice)?.[1] : undefined;
  return language ?? ofVoice ?? "en";
}

async function settingsOf(
  processor: BarkProcessor,
  { pieces }: SpeechPlan,
  given: SpeechArguments,
): Promise<Omit<SpeakSettings, "kwargs">> {
  const { voice = null, retries, strict = false, verify } = given;
  const names = [...new Set(pieces.flatMap((piece) => piece.voice ?? []))];
  const voices = new Map<string, HistoryPrompt>();
  for (const name of names) voices.set(name, await processor.loadVoice(name, { names_only: true }));
  return {
    seed: BigInt(given.seed ?? randomSeed()),
    voice: voice === null ? null : await processor.loadVoice(voice),
    voices,
    // One piece is what `BarkModel.generate` makes of it, unless the caller asks for more.
    retries: retries ?? (pieces.length === 1 ? 0 : 2),
    strict,
    ...(verify && { verify }),
  };
}

function faultLine({ pieces }: SpeechPlan, piece: number, { flags, attempts }: SpokenPiece): string {
  const takes = attempts === 1 ? "" : ` in the best of ${attempts} takes`;
  return `piece ${piece + 1} of ${pieces.length} may be bad (${faultsOf(flags).join(", ")})${takes}: ${JSON.stringify(pieces[piece].text.slice(0, 40))}`;
}

function followedBy(audio: Float32Array<ArrayBuffer>, more: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const both = new Float32Array(audio.length + more.length);
  both.set(audio);
  both.set(more, audio.length);
  return both;
}
