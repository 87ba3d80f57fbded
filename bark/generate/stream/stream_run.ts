import { concatSamples } from "../../../audio/concat.ts";
import type { EncodecDecoder } from "../../../encodec/decoder.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import type { BarkGenerationConfig } from "../../config/generation_config.ts";
import type { CausalWeights } from "../../gpt/causal_weights.ts";
import type { FineWeights } from "../../gpt/fine_weights.ts";
import type { HistoryPrompt } from "../../voice/history_prompt.ts";
import { coarseLength } from "../coarse_plan.ts";
import { streamCoarse } from "../coarse_stage.ts";
import type { LatencyOptions } from "../options/stream_arguments.ts";
import type { CoarseOptions, FineOptions, SemanticOptions } from "../options/generate_options.ts";
import type { BarkOutput, BarkStage } from "../output.ts";
import { endedAtOnce } from "../row_output.ts";
import { streamSemantic } from "../semantic_stage.ts";
import type { StageRun } from "../stage_run.ts";
import { streamCodec } from "./codec_steps.ts";
import { CoarseFrames } from "./coarse_frames.ts";
import { streamFine } from "./fine_stream.ts";
import { StageClock } from "./stage_clock.ts";

/** The weights of all stages: a stream goes from one to the other and back. */
export interface StreamWeights {
  readonly semantic: CausalWeights;
  readonly coarse: CausalWeights;
  readonly fine: FineWeights;
  readonly codec: EncodecDecoder;
}

/** What a stream speaks, checked. */
export interface StreamRequest {
  /** Of the tokenizer. */
  readonly ids: number[];
  readonly voice: HistoryPrompt | null;
  readonly config: BarkGenerationConfig;
  readonly options: { semantic: SemanticOptions; coarse: CoarseOptions; fine: FineOptions };
  readonly latency: Required<LatencyOptions>;
  readonly runOf: (stage: BarkStage) => StageRun;
}

/**
 * All stages at once, each as far as the next one needs it: a coarse window begins when it has the semantic tokens that it
 * sees, a fine window when it has its coarse ones, the codec with the first frames. Nothing is computed that was not asked
 * for, so that who listens decides how far it goes.
 * @yields the next samples. @returns all of the run; the codes are those that were heard.
 */
export async function* streamStages(
  weights: StreamWeights,
  { ids, voice, config, options, latency, runOf }: StreamRequest,
): AsyncGenerator<Float32Array<ArrayBuffer>, BarkOutput, undefined> {
  const { n_fine_codebooks: books } = config.fine_acoustics_config;
  const { n_coarse_codebooks } = config.coarse_acoustics_config;
  const { max_new_tokens: most } = options.semantic;
  const clock = new StageClock();
  let semantic: number[][] = [];
  const tokens = clock.timed("semantic", semanticSteps());
  const coarse = clock.timed(
    "coarse",
    streamCoarse(weights.coarse, { tokens, most }, voice, config, options.coarse, runOf("coarse")),
  );
  const frames = new CoarseFrames(coarse, n_coarse_codebooks);
  const given: Uint32Array[] = [];
  const heard: Float32Array[] = [];
  try {
    for await (const samples of clock.timed("codec", streamCodec(weights.codec, codes(), books, runOf("codec")))) {
      heard.push(samples);
      yield samples;
    }
  } finally {
    await coarse.return(undefined as never);
    await tokens.return(undefined as never);
  }
  if (heard.length === 0) throw endedAtOnce();
  const { tokens: coarseTokens, lengths } = frames.result!;
  const audio = concatSamples(heard);
  return {
    audio: new NdArray(audio, [1, audio.length]),
    output_lengths: [audio.length],
    semantic,
    coarse: coarseTokens,
    coarse_lengths: lengths,
    fine: codebooksFirst(given, books),
    milliseconds: clock.milliseconds,
  };

  async function* semanticSteps(): AsyncGenerator<number[][], number[][], undefined> {
    const run = runOf("semantic");
    semantic = yield* streamSemantic(weights.semantic, [ids], voice, config.semantic_config, options.semantic, run);
    return semantic;
  }

  async function* codes(): AsyncGenerator<Uint32Array<ArrayBuffer>, void, undefined> {
    const width = Math.ceil(coarseLength(most, config) / n_coarse_codebooks);
    const steps = streamFine(weights.fine, frames, voice, config, options.fine, runOf("fine"), {
      ...latency,
      most: width,
    });
    for await (const part of clock.timed("fine", steps)) {
      given.push(part);
      yield part;
    }
  }
}

/** Codes of one row, [1, codebooks, frames]. @param parts [frames, codebooks]. */
function codebooksFirst(parts: readonly Uint32Array[], books: number): NdArray<Int32Array> {
  const frames = parts.reduce((sum, { length }) => sum + length, 0) / books;
  const codes = new Int32Array(books * frames);
  let frame = 0;
  for (const part of parts)
    for (let i = 0; i < part.length; i += books, frame++)
      for (let book = 0; book < books; book++) codes[book * frames + frame] = part[i + book];
  return new NdArray(codes, [1, books, frames]);
}
