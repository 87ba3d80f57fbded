import type { BarkTokenizer } from "../../bark/text/tokenizer.ts";
import { MappedText } from "../markup/source_map.ts";
import type { PlannedPiece } from "../plan.ts";
import type { SpeakingModel, SpokenPiece } from "../speak.ts";
import type { TimedWords } from "../speech.ts";
import { estimateWords } from "./estimate.ts";

/**
 * Share of the most possible gain (the logarithm of the number of words) below which no head follows the text. Measured: 0.46
 * to 0.86 in the sentences of tools/words.ts; at most 0.06 for random weights, of the head whose path has most attention.
 */
const leastGain = 0.25;

/** Where a piece lies in the sound. */
export interface PlacedPiece {
  /** Samples [start, end), of one channel. */
  readonly start: number;
  readonly end: number;
  /** Samples that were cut from its beginning. */
  readonly skipped: number;
}

/** Estimates when the words of pieces are heard. */
export class WordTimer {
  readonly #model: SpeakingModel;
  readonly #tokenizer: BarkTokenizer;
  readonly #notice: (line: string) => void;
  readonly #signal: AbortSignal | undefined;
  #isTold = false;

  constructor(
    model: SpeakingModel,
    tokenizer: BarkTokenizer,
    { notice, signal }: { notice: (line: string) => void; signal: AbortSignal | undefined },
  ) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#notice = notice;
    this.#signal = signal;
  }

  /** Each word lasts to the next one. @returns nothing where the attention does not follow the text, with one notice of it. */
  async of(
    piece: PlannedPiece,
    { run, voice }: Pick<SpokenPiece, "run" | "voice">,
    place: PlacedPiece,
  ): Promise<TimedWords | undefined> {
    const said = { text: piece.text, voice, tokens: run.semantic[0] };
    const found = await estimateWords(this.#model, this.#tokenizer, said, this.#signal);
    if (found === undefined || found.alignment.gain < leastGain * Math.log(found.words.length))
      return this.#tell(piece.text);
    const { sample_rate: rate, semantic_config } = this.#model.generation_config;
    const mapped = MappedText.from(piece.text, piece.spans ?? [[piece.text.length, ...piece.source]]);
    const times = found.alignment.starts.map((token) => {
      const sample = place.start - place.skipped + (token / semantic_config.semantic_rate_hz) * rate;
      return Math.min(place.end, Math.max(place.start, sample)) / rate;
    });
    const words = found.words.map(({ from: start, to: end }, i) => {
      const source = mapped.sourceOf({ start, end });
      const text = piece.text.slice(start, end);
      return {
        text,
        source: [source.start, source.end] as const,
        start: times[i],
        end: times[i + 1] ?? place.end / rate,
      };
    });
    return { words, words_are: "estimated" };
  }

  #tell(text: string): undefined {
    if (!this.#isTold)
      this.#notice(
        `no word times, since no attention head of the checkpoint follows the text of ${JSON.stringify(text.slice(0, 40))}`,
      );
    this.#isTold = true;
  }
}
