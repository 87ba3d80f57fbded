import { checkGenerate, checkVoiceFits } from "../../bark/generate/options/generation_checks.ts";
import type { BarkModel } from "../../bark/model.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { defined } from "../../engine/check/defined.ts";
import { Memo } from "../../engine/memo.ts";
import { languageOf, prepareSpeech, type SpeechArguments } from "../../speech/speak_text.ts";
import { tokensOf } from "../../speech/speak.ts";
import { lettersOf } from "../../speech/split/measure.ts";
import { checkTakes, streamPrepared } from "../../speech/stream/stream_text.ts";
import type { PreparedRequest, SpeechBackend, SpeechPart, SpeechRequest } from "./backend.ts";
import { CohortSeeds } from "./cohort_seeds.ts";
import { SharedModel, type RunReport } from "./shared_model.ts";

/** A model and its processor, as `BarkTTS` has them. */
export interface Speaker {
  readonly model: BarkModel;
  readonly processor: BarkProcessor;
}

export interface LocalBackendSettings {
  /** The checkpoint's name. */
  readonly name: string;
  /** Most texts of one run. */
  readonly batch: number;
  readonly report?: (run: RunReport) => void;
}

/** Speech by the GPU of this machine. */
export class LocalBackend implements SpeechBackend {
  readonly model: string;
  readonly #speaker: Speaker;
  readonly #shared: SharedModel;
  readonly #seeds: CohortSeeds;
  /** Of presets: a voice of many requests is one object, and three files are read once. */
  readonly #voices = new Memo<string, HistoryPrompt>();

  constructor(speaker: Speaker, { name, batch, report }: LocalBackendSettings) {
    this.model = name;
    this.#speaker = speaker;
    this.#shared = new SharedModel(speaker.model, batch, report);
    this.#seeds = new CohortSeeds(batch);
  }

  get sampling_rate(): number {
    return this.#speaker.model.generation_config.sample_rate;
  }

  get channels(): number {
    return this.#speaker.model.config.codec_config.audio_channels;
  }

  get voices(): readonly string[] {
    return this.#speaker.processor.available_voice_presets;
  }

  gpuBytes(): number {
    return this.#speaker.model.gpu.ledger.bytes;
  }

  async readVoice(npz: Uint8Array): Promise<HistoryPrompt> {
    const voice = await this.#speaker.processor.loadVoice(npz);
    const { generation_config, config } = this.#speaker.model;
    checkVoiceFits(voice, generation_config, config, "the file");
    return voice;
  }

  async prepare(request: SpeechRequest, signal: AbortSignal): Promise<PreparedRequest> {
    const { model, processor } = this.#speaker;
    const { generation_config: generation, config } = model;
    const { latency = "exact" } = request.options;
    const voice = await this.#voiceOf(request.voice);
    const { kwargs, ...speech } = speechArgumentsOf(request);
    checkTakes({ ...speech, latency });
    checkGenerate(kwargs, voice, generation, config);
    const notices: string[] = [];
    let isSpeaking = false;
    const prepared = await prepareSpeech(generation, processor, request.input, {
      ...speech,
      voice,
      seed: request.seed ?? this.#seeds.next(request.input),
      kwargs: { ...kwargs, signal },
      // What is told later is of single pieces, whose flags say it.
      notice: (line) => !isSpeaking && notices.push(line),
    });
    const settings = { ...prepared.settings, voice };
    const texts = prepared.plan.pieces.map(({ text }) => text);
    const shared = this.#shared;
    return {
      seed: settings.seed,
      input_tokens: texts.reduce((sum, text) => sum + processor.tokenizer.encode(text).length, 0),
      letters: texts.reduce((sum, text) => sum + lettersOf(text), 0),
      notices,
      speak: async function* (client: string): AsyncGenerator<SpeechPart, void, undefined> {
        isSpeaking = true;
        const parts = streamPrepared(shared.of(client), processor, { ...prepared, settings }, { latency });
        for await (const { run, ...part } of parts) {
          yield { ...part, tokens: run && tokensOf(model, run) };
        }
      },
    };
  }

  async #voiceOf(voice: SpeechRequest["voice"]): Promise<HistoryPrompt | null> {
    if (typeof voice !== "string") return voice;
    return await this.#voices.get(voice, () => this.#speaker.processor.loadVoice(voice, { names_only: true }));
  }
}

type Speech = Pick<SpeechArguments, "language" | "normalize" | "split" | "retries" | "loudness" | "shortFirst">;

/** How the text of a request is planned and spoken, wherever that is; without its voice and seed. */
export function speechArgumentsOf({ voice, options }: SpeechRequest): Speech & Pick<SpeechArguments, "kwargs"> {
  const { latency, language = languageOf(voice), normalize, split, retries, loudness, ...kwargs } = options;
  void latency;
  return { ...defined({ normalize, split, retries, loudness }), language, shortFirst: true, kwargs };
}
