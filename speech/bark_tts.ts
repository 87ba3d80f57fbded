import { latencyOf } from "../bark/generate/options/stream_arguments.ts";
import { readCheckpoint } from "../bark/load/bark_checkpoint.ts";
import { barkReaders, modelRules } from "../bark/load/load_arguments.ts";
import type { BarkFromPretrainedOptions } from "../bark/load/load_options.ts";
import { openCheckpoint, type CheckpointSource } from "../bark/load/open_checkpoint.ts";
import { BarkModel } from "../bark/model.ts";
import { processorOf, type BarkProcessor } from "../bark/text/processor.ts";
import { voiceReaders, type VoiceOptions } from "../bark/voice/voice_options.ts";
import { argumentsOf, refuseMore } from "../engine/check/arguments.ts";
import { noticeOf, type OnNotice } from "../engine/notice.ts";
import type { SpeechInput, SpeechPlan } from "./plan.ts";
import {
  readInput,
  readSpeakOptions,
  readStreamInput,
  readStreamOptions,
  type SpeakOptions,
  type StreamOptions,
} from "./speak_options.ts";
import type { PieceWithRun, SpeechArguments } from "./speak_text.ts";
import { speechOf, type Speech, type StreamedPiece } from "./speech.ts";
import { stoppable } from "./stoppable.ts";
import type { StreamArguments } from "./stream/stream_text.ts";

/** The options of `BarkModel.from_pretrained`, and those of voices. */
export interface BarkTTSOptions extends BarkFromPretrainedOptions, VoiceOptions {}

const readOptions = argumentsOf("from_pretrained", { ...barkReaders, ...voiceReaders }, modelRules);

/** Text to sound in one call: `(await BarkTTS.from_pretrained("nano")).generate("Hello.")`. */
export class BarkTTS {
  /** The model and processor behind it, for work beyond one call. */
  readonly model: BarkModel;
  readonly processor: BarkProcessor;

  readonly #notice: OnNotice;

  private constructor(model: BarkModel, processor: BarkProcessor, notice: OnNotice) {
    this.model = model;
    this.processor = processor;
    this.#notice = notice;
  }

  /**
   * @param source `"nano"`, a repository on the hub, a directory, a URL, or an opened store.
   * @throws EngineError as `BarkModel.from_pretrained` and `BarkProcessor.from_pretrained`.
   */
  static async from_pretrained(source: CheckpointSource, given: BarkTTSOptions = {}): Promise<BarkTTS> {
    const { names_only, allow_urls, ...options } = readOptions(given);
    const store = await openCheckpoint(source, options);
    const checkpoint = await readCheckpoint(store, noticeOf(options.onNotice));
    // Before the weights: faults in the small files then show before gigabytes are read.
    const processor = await processorOf(checkpoint, { names_only, allow_urls, onNotice: options.onNotice });
    const model = await BarkModel.from_checkpoint(checkpoint, options, source);
    return new BarkTTS(model, processor, noticeOf(options.onNotice));
  }

  /**
   * Speaks a text of any length. One that needs more than one run of the model is spoken in pieces of one voice; `captions`
   * says what is heard when. A text of one piece is what `BarkModel.generate` makes of it, less sound
   * behind the end of the speech.
   * @param text with `[pause:1.5s]`, `[voice:NAME]`, `[chapter:TITLE]`; SSML that begins with `<speak`; or turns of speakers.
   * @throws EngineError `usage`, `bad-input` for markup or a voice, `aborted`, `device-lost`.
   */
  async generate(text: SpeechInput, given: SpeakOptions = {}, ...more: never[]): Promise<Speech> {
    refuseMore("generate", more, "give generate(text, { voice, seed, … })");
    const options = { ...readSpeakOptions(given), notice: this.#notice };
    const pieces: PieceWithRun[] = [];
    for await (const piece of this.#speak(readInput(text, "text"), options)) pieces.push(piece);
    return speechOf(pieces, this.model.config.codec_config.audio_channels);
  }

  /**
   * Speaks a text, which may still be being written, and gives out what is spoken as soon as it is known: the first piece, a
   * clause, in parts; the later ones when they are whole, or (`latency: "low"`, or `retries: 0`) in parts. Nothing is
   * computed before it is asked for; `return()` of the iterator, or `signal`, stops the GPU at the next readback.
   * @param text as of {@link generate}, or texts as they come: a `TextSplitterStream` or any async iterable.
   * @throws EngineError as {@link generate}.
   */
  stream(
    text: SpeechInput | AsyncIterable<string>,
    given: StreamOptions = {},
    ...more: never[]
  ): AsyncGenerator<StreamedPiece, void, undefined> {
    refuseMore("stream", more, "give stream(text, { voice, seed, … })");
    const { kwargs, save_voice, ...options } = readStreamOptions(given);
    latencyOf(options);
    const input = readStreamInput(text, "text");
    return stoppable(kwargs.signal ?? undefined, (signal) =>
      this.#stream(input, { ...options, kwargs: { ...kwargs, signal }, notice: this.#notice }, save_voice === true),
    );
  }

  /**
   * The pieces of a text, as {@link generate} speaks them: plain JSON. Store it rather than compute it again: where a text is
   * cut depends on the runtime's ICU.
   * @throws EngineError as {@link generate}.
   */
  async plan(text: SpeechInput, given: SpeakOptions = {}): Promise<SpeechPlan> {
    const options = { ...readSpeakOptions(given), notice: this.#notice };
    const { prepareSpeech } = await import("./speak_text.ts");
    const { generation_config } = this.model;
    return (await prepareSpeech(generation_config, this.processor, readInput(text, "text"), options)).plan;
  }

  async *#speak(input: SpeechInput, options: SpeechArguments): AsyncGenerator<PieceWithRun, void, undefined> {
    // Loaded here: a page that speaks in a worker has no use for it.
    const { speakText } = await import("./speak_text.ts");
    yield* speakText(this.model, this.processor, input, options);
  }

  async *#stream(
    input: SpeechInput | AsyncIterable<string>,
    options: StreamArguments,
    isSaved: boolean,
  ): AsyncGenerator<StreamedPiece, void, undefined> {
    const { streamText, voiceFile } = await import("./stream/stream_text.ts");
    // A listener has no use for the tokens of all pieces, which would pile up.
    for await (const { run, ...part } of streamText(this.model, this.processor, input, options))
      if (isSaved && part.piece === 0 && run !== undefined) yield { ...part, voice_npz: voiceFile(this.model, run) };
      else yield part;
  }

  /** Names of the voices that come with the checkpoint. */
  list_voices(): string[] {
    return [...this.processor.available_voice_presets];
  }

  /** Frees the weights and the device. Runs under way end with `usage`. */
  dispose(): void {
    this.model.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
