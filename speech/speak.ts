import { voicePromptFromRun } from "../bark/voice/voices.ts";
import type { BarkGenerateKwargs } from "../bark/generate/options/generate_arguments.ts";
import type { BarkOutput, BarkProgress } from "../bark/generate/output.ts";
import type { BarkModel } from "../bark/model.ts";
import type { BarkStreamKwargs, LatencyOptions } from "../bark/generate/options/stream_arguments.ts";
import type { BarkProcessor } from "../bark/text/processor.ts";
import type { BarkInputs } from "../bark/text/processor_options.ts";
import type { HistoryPrompt } from "../bark/voice/history_prompt.ts";
import { notFinite } from "../bark/generate/audio_check.ts";
import { endedAtOnce, rowOutput } from "../bark/generate/row_output.ts";
import { EngineError } from "../engine/errors.ts";
import { Carry } from "./carry.ts";
import { faultsOf, guard, Pace, type Flag, type GuardedTake } from "./guard.ts";
import type { PlannedPiece } from "./plan.ts";

/** What speaking needs of a `BarkModel`. A server has one model for many, and puts a queue before its runs. */
export interface SpeakingModel extends Pick<BarkModel, "config" | "generation_config" | "semantic"> {
  generate_output(kwargs: BarkGenerateKwargs): Promise<BarkOutput>;
  generate_stream(kwargs: BarkStreamKwargs): AsyncGenerator<Float32Array<ArrayBuffer>, BarkOutput, undefined>;
}

/** How pieces are spoken. */
export interface SpeakSettings {
  /** Keywords of `BarkModel.generate`, `signal` among them. */
  readonly kwargs: Omit<BarkGenerateKwargs, "input_ids" | "history_prompt" | "seed" | "on_progress">;
  readonly seed: bigint;
  /** Of pieces that name none; null: the first piece makes one up, which the others keep. */
  readonly voice: HistoryPrompt | null;
  /** Voices that pieces name. */
  readonly voices: ReadonlyMap<string, HistoryPrompt>;
  /** Most pieces that are spoken at once. What a piece becomes does not depend on it. */
  readonly batch: number;
  /** Takes after the first of a piece that came out badly. */
  readonly retries: number;
  /** A piece without a good take is an error. */
  readonly strict: boolean;
  /** Takes of every piece, of which the best is kept; at least 1. */
  readonly takes: number;
  /** Pieces before it that a piece hears behind its voice, within a paragraph. */
  readonly carry: number;
  /**
   * What the length of a piece is judged by. `voice` (default): the mean of the voice's pieces so far. `usual`: what is usual
   * for Bark, so that a piece is what its text and settings make of it, in whatever order pieces are spoken.
   */
  readonly pace?: "voice" | "usual";
  /** A score of a take, such as a recogniser's share of right words; the best take is kept, and below 0.5 is bad. */
  readonly verify?: (audio: Float32Array, text: string) => number | Promise<number>;
}

/** A piece that was spoken. */
export interface SpokenPiece {
  /** Mono, unclipped, neither cut nor faded at its ends. [samples] */
  readonly audio: Float32Array<ArrayBuffer>;
  readonly flags: readonly Flag[];
  /** Takes that were needed. */
  readonly attempts: number;
  /** Of the take that was kept. */
  readonly seed: bigint;
  /** Tokens of the take that was kept. */
  readonly run: BarkOutput;
  /** What it went on from. */
  readonly voice: HistoryPrompt | null;
}

/** What a run gave; an error where another seed may say something. */
type Run = BarkOutput | EngineError;

/** The first take of a piece, which may wait until the pieces before it are given out. */
interface FirstTake {
  readonly voice: HistoryPrompt | null;
  readonly run: Run;
}

/** Batches among which the next pieces are dealt out by length. At most as many takes wait on the host, a MB of sound each. */
const batchesAhead = 4;

const noSpeech = [endedAtOnce(), notFinite()].map(({ problem }) => problem);

function isNoSpeech(error: unknown): error is EngineError {
  return error instanceof EngineError && noSpeech.includes(error.problem);
}

/** A score below this is a bad take. */
const leastScore = 0.5;

interface ScoredTake {
  readonly take: GuardedTake;
  readonly run: BarkOutput;
  readonly seed: bigint;
  readonly score: number;
  readonly drift: number;
}

/** Fewer faults and more right words first; among equals, the length that is nearer to the voice's pace. */
function isBetter(a: ScoredTake, b: ScoredTake): boolean {
  return a.score > b.score || (a.score === b.score && a.drift < b.drift);
}

/** The first of the pieces that are being spoken. */
export type OnPieceProgress = (progress: BarkProgress, piece: number) => void;

/** Speaks pieces in the voices that they name. */
export class PieceSpeaker {
  readonly #model: SpeakingModel;
  readonly #processor: BarkProcessor;
  readonly #settings: SpeakSettings;
  readonly #onProgress: OnPieceProgress | undefined;
  /** How fast each voice speaks. */
  readonly #paces = new Map<string | null, Pace>();
  readonly #carry: Carry;
  #voice: HistoryPrompt | null;

  constructor(model: SpeakingModel, processor: BarkProcessor, settings: SpeakSettings, onProgress?: OnPieceProgress) {
    this.#onProgress = onProgress;
    this.#model = model;
    this.#processor = processor;
    this.#settings = settings;
    this.#voice = settings.voice;
    this.#carry = new Carry(settings.carry);
  }

  /**
   * The best take of each piece, in their order.
   * @throws EngineError `bad-input` under `strict` if no take of a piece is good; as `generate`.
   */
  async *speak(pieces: readonly PlannedPiece[]): AsyncGenerator<SpokenPiece, void, undefined> {
    const firstTakes = new Map<number, FirstTake>();
    let groups: number[][] = [];
    for (const [index, piece] of pieces.entries()) {
      if (!firstTakes.has(index)) {
        if (!groups.flat().includes(index)) groups = this.#groupsFrom(pieces, index);
        const group = groups.find((places) => places.includes(index))!;
        for (const [at, take] of await this.#firstTakes(pieces, group)) firstTakes.set(at, take);
      }
      const { voice, run } = firstTakes.get(index)!;
      firstTakes.delete(index);
      yield await this.#best(piece, index, voice, run);
    }
  }

  /**
   * A piece in its only take, given out while it is made. @returns it, whole: what the guard would cut off was heard.
   * @throws EngineError as {@link speak}.
   */
  async *stream(
    piece: PlannedPiece,
    latency: Required<LatencyOptions>,
  ): AsyncGenerator<Float32Array<ArrayBuffer>, SpokenPiece, undefined> {
    const { kwargs, seed } = this.#settings;
    const voice = this.#historyOf(piece);
    const on_progress = (progress: BarkProgress): void => this.#onProgress?.(progress, 0);
    const run = yield* this.#model.generate_stream({
      ...(await this.#inputsOf([piece])),
      ...kwargs,
      ...(latency.latency === "low" ? latency : {}),
      history_prompt: voice,
      seed,
      on_progress,
    });
    const scored = await this.#scored(piece, run, seed);
    return { ...this.#kept(piece, voice, scored, 1), audio: Float32Array.from(run.audio.data) };
  }

  /**
   * Places of the next pieces, those that are spoken at once together. They are of similar length, since a batch runs until
   * its longest piece is done. The first piece is alone where the others wait for the voice that it makes up.
   */
  #groupsFrom(pieces: readonly PlannedPiece[], first: number): number[][] {
    const { batch } = this.#settings;
    const makesVoice = ({ voice }: PlannedPiece): boolean => this.#voice === null && voice === null;
    const soon = pieces.slice(first, first + batch * batchesAhead);
    const maker = soon.findIndex(makesVoice);
    const places = (maker < 0 ? soon : soon.slice(0, Math.max(1, maker))).map((_, i) => first + i);
    places.sort((a, b) => pieces[b].text.length - pieces[a].text.length);
    return Array.from({ length: Math.ceil(places.length / batch) }, (_, i) => places.slice(i * batch, (i + 1) * batch));
  }

  /** The first takes of pieces, by place. They have the caller's seed, and each row draws as if it were alone. */
  async #firstTakes(pieces: readonly PlannedPiece[], places: readonly number[]): Promise<[number, FirstTake][]> {
    const group = places.map((at) => pieces[at]);
    const voices = group.map((piece) => this.#historyOf(piece));
    const runs = await this.#run(group, Math.min(...places), voices, this.#settings.seed);
    return places.map((at, row) => [at, { voice: voices[row], run: runs[row] }]);
  }

  /** @param firstRun of the first take. */
  async #best(piece: PlannedPiece, index: number, voice: HistoryPrompt | null, firstRun: Run): Promise<SpokenPiece> {
    const { takes, retries } = this.#settings;
    let best: ScoredTake | undefined;
    let fault: EngineError | undefined;
    let attempts = 0;
    while (attempts < takes || (attempts < takes + retries && (best === undefined || best.score < leastScore))) {
      const seed = seedOf(this.#settings.seed, piece.text, attempts);
      const run = attempts++ === 0 ? firstRun : (await this.#run([piece], index, [voice], seed))[0];
      if (run instanceof EngineError) {
        fault = run;
        continue;
      }
      const scored = await this.#scored(piece, run, seed);
      if (best === undefined || isBetter(scored, best)) best = scored;
    }
    if (best === undefined) throw fault!;
    return this.#kept(piece, voice, best, attempts);
  }

  async #scored(piece: PlannedPiece, run: BarkOutput, seed: bigint): Promise<ScoredTake> {
    const pace = this.#paceOf(piece);
    const take = guard(this.#takeOf(piece, run), pace);
    const score = await this.#scoreOf(take, piece);
    return { take, run, seed, score, drift: pace.drift(piece.text, take.seconds) };
  }

  /** A piece whose take is chosen: the next ones go on from it. */
  #kept(
    piece: PlannedPiece,
    voice: HistoryPrompt | null,
    { take, run, seed, score }: ScoredTake,
    attempts: number,
  ): SpokenPiece {
    if (this.#settings.strict && score < leastScore)
      throw new EngineError("bad-input", "a piece came out badly in every take", {
        where: `text[${piece.source.join("…")}]`,
        actual: `${take.flags.join(", ") || "the verifier's score"}, ${attempts} takes`,
        fix: "change its text, or allow more retries",
      });
    if (faultsOf(take.flags).length === 0) this.#paceOf(piece).add(piece.text, take.seconds);
    // What becomes the voice is heard as such; behind itself it would be said twice.
    if (this.#voice === null && piece.voice === null) this.#voice = voiceOf(this.#model, run);
    else if (this.#settings.carry > 0 && score >= leastScore) this.#carry.add(voiceOf(this.#model, run));
    return { audio: take.audio, flags: take.flags, attempts, seed, run, voice };
  }

  #paceOf({ voice }: PlannedPiece): Pace {
    const pace = (this.#settings.pace === "usual" ? undefined : this.#paces.get(voice)) ?? new Pace();
    this.#paces.set(voice, pace);
    return pace;
  }

  get #rate(): number {
    return this.#model.generation_config.sample_rate;
  }

  /** What a piece goes on from. */
  #historyOf(piece: PlannedPiece): HistoryPrompt | null {
    return this.#carry.behind(piece.voice === null ? this.#voice : this.#settings.voices.get(piece.voice)!, piece);
  }

  /** A run of each piece. */
  async #run(
    batch: readonly PlannedPiece[],
    first: number,
    voices: readonly (HistoryPrompt | null)[],
    seed: bigint,
  ): Promise<Run[]> {
    const { eos_token_id } = this.#model.generation_config.semantic_config;
    const inputs = await this.#inputsOf(batch);
    const history_prompt = batch.length === 1 ? voices[0] : voices;
    const on_progress = this.#onProgress && ((progress: BarkProgress) => this.#onProgress?.(progress, first));
    try {
      const output = await this.#model.generate_output({
        ...inputs,
        ...this.#settings.kwargs,
        history_prompt,
        seed,
        ...(on_progress && { on_progress }),
      });
      if (batch.length === 1) return [output];
      return batch.map((_, row) =>
        output.output_lengths[row] > 0 ? rowOutput(output, row, eos_token_id) : endedAtOnce(),
      );
    } catch (error) {
      if (!isNoSpeech(error)) throw error;
      if (batch.length === 1) return [error];
      // One row breaks off all: alone, each is what it is.
      const alone: Run[] = [];
      for (const [row, piece] of batch.entries())
        alone.push(...(await this.#run([piece], first + row, [voices[row]], seed)));
      return alone;
    }
  }

  async #inputsOf(batch: readonly PlannedPiece[]): Promise<BarkInputs> {
    const { max_input_semantic_length: max_length } = this.#model.generation_config.semantic_config;
    return await this.#processor(
      batch.map(({ text }) => text),
      { max_length },
    );
  }

  #takeOf({ text }: PlannedPiece, run: BarkOutput): Parameters<typeof guard>[0] {
    const { semantic_config } = this.#model.generation_config;
    const tokens = run.semantic[0];
    const end = tokens.indexOf(semantic_config.eos_token_id);
    return {
      text,
      audio: Float32Array.from(run.audio.row(0).data),
      rate: this.#rate,
      semantic: end < 0 ? tokens : tokens.slice(0, end),
      semanticRate: semantic_config.semantic_rate_hz,
      hasEnded: end >= 0,
    };
  }

  /** From 0 to 1; every fault costs as much as a verifier can give. */
  async #scoreOf({ audio, flags }: GuardedTake, { text }: PlannedPiece): Promise<number> {
    const verified = (await this.#settings.verify?.(audio, text)) ?? 1;
    return verified - faultsOf(flags).length;
  }
}

/** The tokens of a run as a voice. */
export function voiceOf({ generation_config }: Pick<BarkModel, "generation_config">, run: BarkOutput): HistoryPrompt {
  const { semantic_pad_token, semantic_vocab_size } = generation_config.semantic_config;
  return voicePromptFromRun(run.semantic[0], run.coarse[0], run.fine.row(0), {
    semantic_pad_token,
    semantic_vocab_size,
    n_coarse_codebooks: generation_config.coarse_acoustics_config.n_coarse_codebooks,
    codebook_size: generation_config.codebook_size,
  });
}

/** Tokens that a run made. */
export interface TokenCounts {
  readonly semantic: number;
  readonly coarse: number;
}

/** Tokens of the first row of a run, without what only fills it up. */
export function tokensOf({ generation_config }: Pick<BarkModel, "generation_config">, run: BarkOutput): TokenCounts {
  const pad = generation_config.semantic_config.semantic_pad_token;
  return { semantic: run.semantic[0].filter((id) => id !== pad).length, coarse: run.coarse[0].length };
}

/**
 * The seed of a take. The first has the caller's, so that one piece is what `BarkModel.generate` makes of it; the next ones
 * depend on the text too (FNV-1a), never on the place of the piece, so that a changed sentence changes no other.
 */
export function seedOf(seed: bigint, text: string, attempt: number): bigint {
  if (attempt === 0) return seed;
  let hash = 0xcbf29ce484222325n ^ seed;
  for (const byte of new TextEncoder().encode(`${attempt} ${text}`))
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash;
}
