import { RawAudio } from "../audio/raw_audio.ts";
import { runReaders, type BarkGenerateKwargs } from "../bark/generate/generate_arguments.ts";
import { keywordReaders, unsupportedKeywords, type GenerateKwargs } from "../bark/generate/generate_options.ts";
import { readCheckpoint } from "../bark/load/bark_checkpoint.ts";
import { barkReaders, modelRules } from "../bark/load/load_arguments.ts";
import type { BarkFromPretrainedOptions } from "../bark/load/load_options.ts";
import { openCheckpoint, type CheckpointSource } from "../bark/load/open_checkpoint.ts";
import { BarkModel } from "../bark/model.ts";
import { processorOf, type BarkProcessor } from "../bark/text/processor.ts";
import { readPreset } from "../bark/text/processor_options.ts";
import { voiceReaders, type VoiceOptions } from "../bark/voice/voice_options.ts";
import type { VoicePreset } from "../bark/voice/voices.ts";
import { argumentsOf, noneOr, readString, refuseMore, type ReadersOf } from "../engine/check/arguments.ts";
import { NdArray } from "../engine/ndarray.ts";
import { noticeOf } from "../engine/notice.ts";

/** The options of `BarkModel.from_pretrained`, and those of voices. */
export interface BarkTTSOptions extends BarkFromPretrainedOptions, VoiceOptions {}

/** How a text is spoken: a voice, and the keywords of `BarkModel.generate`. */
export interface SpeakOptions
  extends
    Omit<GenerateKwargs, "attention_mask" | "semantic_attention_mask">,
    Pick<BarkGenerateKwargs, "seed" | "signal" | "on_progress" | "tokens_per_readback"> {
  /** A preset's name, the path of an `.npz`, its bytes, or the three arrays. Default: Bark makes a voice up. */
  voice?: VoicePreset | null;
}

const readOptions = argumentsOf("from_pretrained", { ...barkReaders, ...voiceReaders }, modelRules);

// The mask belongs to the ids, which are made here.
const keywords = Object.fromEntries(Object.entries(keywordReaders).filter(([name]) => !/attention_mask$/.test(name)));
const readSpeakOptions = argumentsOf(
  "generate",
  { ...keywords, ...runReaders, voice: noneOr(readPreset) } satisfies ReadersOf<
    Omit<SpeakOptions, keyof GenerateKwargs>
  >,
  { aliases: { voice_preset: "voice" }, unsupported: unsupportedKeywords, usage: "give generate(text, { voice, … })" },
);

/** Text to sound in one call: `(await BarkTTS.from_pretrained("nano")).generate("Hello.")`. */
export class BarkTTS {
  /** The model and processor behind it, for work beyond one call. */
  readonly model: BarkModel;
  readonly processor: BarkProcessor;

  private constructor(model: BarkModel, processor: BarkProcessor) {
    this.model = model;
    this.processor = processor;
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
    return new BarkTTS(await BarkModel.from_checkpoint(checkpoint, options, source), processor);
  }

  /**
   * Speaks one text of at most about 14 seconds; a longer one is cut, with a notice.
   * @throws EngineError `usage`, `bad-input` for a voice, `aborted`, `device-lost`.
   */
  async generate(text: string, given: SpeakOptions = {}, ...more: never[]): Promise<RawAudio> {
    refuseMore("generate", more, "give generate(text, { voice, seed, … })");
    const { voice, ...kwargs } = readSpeakOptions(given);
    const { generation_config, config } = this.model;
    const inputs = await this.processor(readString(text, "text"), {
      voice_preset: voice ?? null,
      max_length: generation_config.semantic_config.max_input_semantic_length,
    });
    const { data } = (await this.model.generate({ ...inputs, ...kwargs })).row(0);
    const channels = config.codec_config.audio_channels;
    return new RawAudio(new NdArray(data, [channels, data.length / channels]), generation_config.sample_rate);
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
