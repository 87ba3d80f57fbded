import { concatSamples } from "../audio/concat.ts";
import { Joiner } from "../audio/join.ts";
import { Leveller } from "../audio/level.ts";
import { randomSeed, type BarkGenerateKwargs } from "../bark/generate/options/generate_arguments.ts";
import type { BarkOutput, BarkProgress } from "../bark/generate/output.ts";
import type { BarkGenerationConfig } from "../bark/config/generation_config.ts";
import type { BarkProcessor } from "../bark/text/processor.ts";
import type { HistoryPrompt } from "../bark/voice/history_prompt.ts";
import type { VoicePreset } from "../bark/voice/voices.ts";
import { EngineError } from "../engine/errors.ts";
import { faultLine, faultsOf } from "./guard.ts";
import { MappedText } from "./markup/source_map.ts";
import type { NormalizeOptions } from "./normalize/load.ts";
import { changeOf, type Rewriter } from "./normalize/rewrite.ts";
import type { Script } from "./markup/script.ts";
import { SpeechMeter, type WholeProgress } from "./meter.ts";
import { planSpeech, type PlannedPiece, type PlanOptions, type SpeechInput, type SpeechPlan } from "./plan.ts";
import { PieceSpeaker, type SpeakingModel, type SpeakSettings } from "./speak.ts";
import type { SpokenPart } from "./speech.ts";
import type { WordTimer } from "./words/word_timer.ts";

/** Progress of a stage, and of the whole. */
export interface SpeechProgress extends BarkProgress {
  /** The piece that is spoken, from 0; of several at once the first. */
  readonly piece: number;
  readonly pieces: number;
  /** Of all pieces; absent while a worker loads its model. */
  readonly whole?: WholeProgress;
}

/** What {@link speakText} is given: options of planning and joining, and settings of the speaker. */
export interface SpeechArguments
  extends
    NormalizeOptions,
    Omit<PlanOptions, "fits" | "goal" | "most" | "rewrite">,
    Partial<Pick<SpeakSettings, "batch" | "retries" | "strict" | "verify" | "takes" | "carry">> {
  readonly kwargs: Omit<BarkGenerateKwargs, "input_ids" | "history_prompt" | "seed" | "on_progress">;
  readonly seed?: bigint | number | null;
  readonly voice?: VoicePreset | null;
  readonly split?: "auto" | "none";
  /** Estimates when each word is heard. */
  readonly words?: boolean;
  /** LUFS that the pieces are brought to; none: as they come. */
  readonly loudness?: number;
  readonly onProgress?: ((progress: SpeechProgress) => void) | undefined;
  /** Called with one line for the user. */
  readonly notice: (line: string) => void;
}

/** A text that is ready to be spoken: its pieces and voices are known. */
export interface PreparedSpeech {
  /** Estimates when each word is heard. */
  readonly words?: boolean | undefined;
  /** LUFS, if the pieces are brought to one. */
  readonly loudness?: number | undefined;
  readonly plan: SpeechPlan;
  readonly settings: SpeakSettings;
  /** Whether the number of takes was left open. */
  readonly takesAreOpen: boolean;
  readonly onProgress: SpeechArguments["onProgress"];
  readonly notice: SpeechArguments["notice"];
}

/**
 * Plans a text and looks its voices up, so that what is wrong with them shows before weights are read or a sound is made.
 * Pieces without a word that the checkpoint knows are left out, with a notice.
 * @throws EngineError `usage` if nothing is left to say; `bad-input` for markup or a voice.
 */
export async function prepareSpeech(
  generation: BarkGenerationConfig,
  processor: BarkProcessor,
  input: SpeechInput,
  given: SpeechArguments,
): Promise<PreparedSpeech> {
  const { onProgress, notice } = given;
  const plan = await planText(generation, processor, input, given);
  const settings = await settingsOf(processor, plan, given);
  const { words, loudness } = given;
  return { plan, settings, takesAreOpen: takesAreOpen(given), words, loudness, onProgress, notice };
}

/** The pieces of a text for a checkpoint. @throws EngineError as {@link prepareSpeech}, which also looks voices up. */
export async function planText(
  generation: BarkGenerationConfig,
  processor: BarkProcessor,
  input: SpeechInput | Script,
  given: SpeechArguments,
): Promise<SpeechPlan> {
  const { notice } = given;
  const options = await planOptionsOf(generation, processor, given);
  const planned = given.split === "none" ? wholePlan(input, options.rewrite) : planSpeech(input, options);
  for (const line of planned.notices) notice(line);
  tellChanges(planned, notice);
  return await withoutUnspeakable(planned, processor, notice);
}

/** How a text is cut for a checkpoint, and what of it is spoken otherwise. */
export async function planOptionsOf(
  generation: BarkGenerationConfig,
  processor: BarkProcessor,
  given: SpeechArguments,
): Promise<PlanOptions> {
  const language = given.language ?? languageOf(given.voice);
  const rewrite = await rewriterFor(given, language);
  return { ...limitsOf(generation, processor), ...given, language, ...(rewrite && { rewrite }) };
}

/** A piece, and all that its run made. */
export interface PieceWithRun extends SpokenPart {
  readonly run: BarkOutput;
}

/** Speaks a text piece by piece, and gives each out with its place in the text and in the sound. */
export async function* speakPrepared(
  model: SpeakingModel,
  processor: BarkProcessor,
  { plan, settings, words, loudness, onProgress, notice }: PreparedSpeech,
): AsyncGenerator<PieceWithRun, void, undefined> {
  const { audio_channels: channels } = model.config.codec_config;
  const { sample_rate: sampling_rate } = model.generation_config;
  const pieces = plan.pieces.length;
  const isAlone = pieces === 1 && plan.pieces[0].gap === 0 && plan.end === 0;
  if (loudness !== undefined && channels !== 1)
    throw new EngineError("usage", "is that of one channel", { where: "loudness", actual: `${channels} channels` });
  if (!isAlone && channels !== 1)
    throw new EngineError("usage", "pieces of more than one channel are not joined", {
      where: "split",
      expected: '"none"',
      actual: `${channels} channels`,
    });
  const meter = new SpeechMeter(plan.pieces.map(({ text }) => text));
  const speaker = new PieceSpeaker(model, processor, settings, (progress, piece) => {
    onProgress?.({ ...progress, piece, pieces, whole: meter.whole });
  });
  const joiner = new Joiner(sampling_rate);
  const leveller = loudness === undefined ? undefined : new Leveller(sampling_rate, loudness);
  const timer = words && (await wordTimer(model, processor, settings, notice));
  let piece = 0;
  for await (const spokenPiece of speaker.speak(plan.pieces)) {
    const { audio: take, flags, attempts, seed, run } = spokenPiece;
    const { text, source, voice, gap, changes } = plan.pieces[piece];
    const spoken = leveller?.level(take) ?? take;
    if (faultsOf(flags).length > 0 && pieces + attempts > 2)
      notice(faultLine(`piece ${piece + 1} of ${pieces}`, text, flags, attempts));
    meter.add(text, spoken.length / channels / sampling_rate, attempts);
    const joined = isAlone
      ? { audio: spoken, start: 0, end: spoken.length / channels, skipped: 0 }
      : joiner.add(spoken, gap);
    const isEnd = piece + 1 === pieces && plan.end > 0;
    const audio = isEnd ? concatSamples([joined.audio, joiner.silence(plan.end)]) : joined.audio;
    const [start, end] = [joined.start / sampling_rate, joined.end / sampling_rate];
    const said = { text, source, voice, start, end, flags, attempts, seed, run, ...(changes && { changes }) };
    const timed = timer && (await timer.of(plan.pieces[piece], spokenPiece, joined));
    yield { audio, sampling_rate, piece, pieces, is_last: true, ...said, ...timed };
    piece++;
  }
}

/** Loaded where it is asked for: most speech is not timed by words. */
export async function wordTimer(
  model: SpeakingModel,
  { tokenizer }: BarkProcessor,
  { kwargs: { signal } }: SpeakSettings,
  notice: (line: string) => void,
): Promise<WordTimer> {
  const { WordTimer } = await import("./words/word_timer.ts");
  return new WordTimer(model, tokenizer, { notice, signal: signal ?? undefined });
}

/** {@link prepareSpeech}, then {@link speakPrepared}. */
export async function* speakText(
  model: SpeakingModel,
  processor: BarkProcessor,
  input: SpeechInput,
  given: SpeechArguments,
): AsyncGenerator<PieceWithRun, void, undefined> {
  yield* speakPrepared(model, processor, await prepareSpeech(model.generation_config, processor, input, given));
}

/** Loaded where it is asked for: most texts are spoken as they are. */
async function rewriterFor(given: NormalizeOptions, language: string): Promise<Rewriter | undefined> {
  if ((given.normalize ?? "none") === "none" && given.lexicon === undefined) return undefined;
  const { loadRewriter } = await import("./normalize/load.ts");
  return await loadRewriter(given, language);
}

/** What was made speakable, in one line. */
function tellChanges({ pieces }: SpeechPlan, notice: (line: string) => void): void {
  const changes = pieces.flatMap(({ changes }) => changes ?? []);
  if (changes.length === 0) return;
  const [{ written, spoken, source }] = changes;
  const first = `${JSON.stringify(written.slice(0, 40))} as ${JSON.stringify(spoken.slice(0, 60))}`;
  const places = changes.length === 1 ? "1 place is" : `${changes.length} places are`;
  notice(`${places} spoken otherwise than written, the first at character ${source[0]}: ${first}`);
}

/** One run of the model, which cuts what it cannot hold. */
function wholePlan(input: SpeechInput | Script, rewrite: Rewriter | undefined): SpeechPlan {
  if (typeof input !== "string")
    throw new EngineError("usage", "turns of several speakers are pieces", {
      where: "split",
      expected: '"auto"',
      actual: "none",
    });
  const { text, changes } = rewrite?.(MappedText.of(input)) ?? { text: MappedText.of(input), changes: [] };
  const piece: PlannedPiece = {
    ...{ text: text.text, source: [0, input.length], voice: null, gap: 0, begins: true },
    ...(changes.length > 0 && {
      changes: changes.map(changeOf),
      spans: text.spansOf({ start: 0, end: text.text.length }),
    }),
  };
  return { version: 1, pieces: [piece], chapters: [], end: 0, notices: [] };
}

/** Letters that a voice says in a second, less a reserve: a slow voice must end before the tokens do. */
const lettersPerSecond = 13;
/** A checkpoint that cannot say as much as this is a test's: its texts are left whole. */
const leastLetters = 60;

/** How long a piece may be for a checkpoint: its slots of text, and its tokens of speech. */
function limitsOf(
  { semantic_config }: BarkGenerationConfig,
  { tokenizer }: BarkProcessor,
): Pick<PlanOptions, "most" | "goal" | "fits"> {
  const { max_input_semantic_length: slots, max_new_tokens, semantic_rate_hz } = semantic_config;
  const letters = Math.floor((max_new_tokens / semantic_rate_hz) * lettersPerSecond);
  const most = Math.min(200, Math.max(leastLetters, letters));
  return { most, goal: Math.min(160, Math.round(0.8 * most)), fits: (text) => tokenizer.encode(text).length <= slots };
}

/** `v2/de_speaker_3` speaks German; a voice of another name, English. */
export function languageOf(voice: unknown): string {
  const ofVoice = typeof voice === "string" ? /(?:^|\/)([a-z]{2})_speaker_/.exec(voice)?.[1] : undefined;
  return ofVoice ?? "en";
}

/** Whether the caller leaves open how often a piece is spoken. */
export function takesAreOpen({ retries, strict = false, verify }: SpeechArguments): boolean {
  return retries === undefined && !strict && verify === undefined;
}

/** How the pieces of a plan are spoken: their voices, looked up, and the seed. */
export async function settingsOf(
  processor: BarkProcessor,
  { pieces }: Pick<SpeechPlan, "pieces">,
  given: SpeechArguments,
): Promise<SpeakSettings> {
  const { voice = null, batch = 1, retries, strict = false, takes = 1, carry = 0, verify, kwargs } = given;
  if (given.words === true) requireOffsets(processor);
  if (carry > 0 && batch > 1)
    throw new EngineError("usage", "each piece waits for the one before, which it carries", {
      where: "batch",
      expected: 1,
      actual: batch,
      fix: "give carry or batch",
    });
  const names = [...new Set(pieces.flatMap((piece) => piece.voice ?? []))];
  const voices = new Map<string, HistoryPrompt>();
  for (const name of names) voices.set(name, await processor.loadVoice(name, { names_only: true }));
  return {
    kwargs,
    seed: BigInt(given.seed ?? randomSeed()),
    voice: voice === null ? null : await processor.loadVoice(voice),
    voices,
    batch,
    // One piece is what `BarkModel.generate` makes of it, unless the caller asks for more.
    retries: retries ?? (pieces.length === 1 ? 0 : 2),
    strict,
    takes,
    carry,
    ...(verify && { verify }),
  };
}

/** @throws EngineError `usage` for a tokenizer that does not tell where its tokens are from. */
function requireOffsets({ tokenizer: { hasOffsets } }: BarkProcessor): void {
  if (hasOffsets) return;
  throw new EngineError("usage", "needs a tokenizer of BERT, and the checkpoint has another one", {
    where: "words",
    fix: "leave it out",
  });
}

/** Whether the vocabulary has a word of a piece. */
export function isSpeakable({ text }: PlannedPiece, { tokenizer }: BarkProcessor): boolean {
  return text === "" || tokenizer.encode(text).some((id) => id !== tokenizer.unk_token_id);
}

/** The plan without pieces that hold no word of the vocabulary, such as one of emoji alone: the model would babble. */
async function withoutUnspeakable(
  plan: SpeechPlan,
  processor: BarkProcessor,
  notice: (line: string) => void,
): Promise<SpeechPlan> {
  const pieces = plan.pieces.filter((piece) => isSpeakable(piece, processor));
  const lost = plan.pieces.filter((piece) => !isSpeakable(piece, processor));
  // The processor says what is wrong with a text of no words.
  if (pieces.length === 0) await processor(plan.pieces[0].text);
  if (lost.length === 0) return plan;
  const [{ source, text }] = lost;
  notice(
    `${lost.length} of ${plan.pieces.length} pieces hold no word of the checkpoint's vocabulary and are left out, ` +
      `the first at character ${source[0]}: ${JSON.stringify(text.slice(0, 20))}`,
  );
  const chapters = plan.chapters.map(({ title, piece }) => ({
    title,
    piece: plan.pieces.slice(0, piece).filter((each) => isSpeakable(each, processor)).length,
  }));
  return { ...plan, pieces, chapters };
}
