import { EngineError } from "../../../engine/errors.ts";
import type { BarkConfig, BarkFineConfig } from "../../config/config.ts";
import { routeGenerateKwargs, type GenerateKwargs } from "./generate_options.ts";
import type { BarkGenerationConfig } from "../../config/generation_config.ts";
import { coarseLength, coarseRatio } from "../coarse_plan.ts";
import { maxSemanticTokens } from "../semantic_plan.ts";
import { isVoicePerRow, type BatchVoice, type HistoryPrompt } from "../../voice/history_prompt.ts";

const fix = "check that generation_config.json belongs to this checkpoint";

type AtMost = (part: string, field: string, value: number, most: number, because: string) => void;

/** @returns what refuses a field above its limit. */
function atMostIn(where: string): AtMost {
  return (part, field, value, most, because) => {
    if (value <= most) return;
    throw new EngineError("bad-input", `${field} does not fit config.json`, {
      where: `${where}: ${part}`,
      expected: `at most ${most} (${because})`,
      actual: value,
      fix,
    });
  };
}

/**
 * Checks a generation config against its models: token ids within their vocabularies, windows within their positions.
 * A wrong id would otherwise read past the end of a table on the GPU, without any message.
 * @param where the file of the generation config. @throws EngineError `bad-input` naming it and the field.
 */
export function checkGenerationFits(
  generation: BarkGenerationConfig,
  config: BarkConfig,
  where = "generation_config.json",
): void {
  const { semantic_config: semantic, coarse_acoustics_config: coarse, fine_acoustics_config: fine } = generation;
  const atMost = atMostIn(where);
  const textIds = config.semantic_config.input_vocab_size - 1;
  for (const field of ["semantic_infer_token", "eos_token_id", "text_encoding_offset", "text_pad_token"] as const)
    atMost("semantic_config", field, semantic[field], textIds, "last id of the semantic model");
  const slots = config.semantic_config.block_size - 1;
  atMost("semantic_config", "max_input_semantic_length", semantic.max_input_semantic_length, slots, "block_size - 1");
  const coarseIds = config.coarse_acoustics_config.input_vocab_size - 1;
  for (const field of ["coarse_infer_token", "coarse_semantic_pad_token"] as const)
    atMost("coarse_acoustics_config", field, coarse[field], coarseIds, "last id of the coarse model");
  const inputs = config.coarse_acoustics_config.block_size - 1;
  atMost(
    "coarse_acoustics_config",
    "max_coarse_input_length",
    coarse.max_coarse_input_length,
    inputs,
    "block_size - 1",
  );
  // Codes of the first codebook follow the semantic ids, then those of the second, of which there must be one.
  const semanticIds = config.coarse_acoustics_config.output_vocab_size - generation.codebook_size - 1;
  atMost(
    "semantic_config",
    "semantic_vocab_size",
    semantic.semantic_vocab_size,
    semanticIds,
    "ids of the coarse model",
  );
  checkFineFits(generation, config.fine_acoustics_config, where);
  const part = "fine_acoustics_config";
  atMost(part, "codebook_size", generation.codebook_size, config.codec_config.codebook_size, "codes of the codec");
  atMost(part, "n_fine_codebooks", fine.n_fine_codebooks, config.codec_config.num_quantizers, "codebooks of the codec");
  checkRates(generation, inputs, maxSemanticTokens(semantic, config.semantic_config.block_size), where);
}

/** The part of {@link checkGenerationFits} that the fine model needs. */
export function checkFineFits(
  generation: BarkGenerationConfig,
  config: BarkFineConfig,
  where = "generation config",
): void {
  const { fine_acoustics_config: fine, coarse_acoustics_config: coarse } = generation;
  const atMost = atMostIn(where);
  const { n_codes_total, n_codes_given, input_vocab_size, head_vocab_size, block_size } = config;
  const part = "fine_acoustics_config";
  atMost(part, "max_fine_input_length", fine.max_fine_input_length, block_size, "block_size");
  atMost(part, "codebook_size", generation.codebook_size, input_vocab_size - 1, "last id of the fine model");
  atMost(part, "codebook_size", generation.codebook_size, head_vocab_size, "ids the fine model answers");
  const { n_coarse_codebooks } = coarse;
  if (
    fine.n_fine_codebooks !== n_codes_total ||
    n_coarse_codebooks < n_codes_given ||
    n_coarse_codebooks > n_codes_total
  )
    throw new EngineError("bad-input", "the codebooks of the stages do not fit the fine model", {
      where,
      expected: `n_fine_codebooks ${n_codes_total}, n_coarse_codebooks ${n_codes_given} to ${n_codes_total}`,
      actual: `${fine.n_fine_codebooks}, ${n_coarse_codebooks}`,
      fix,
    });
}

/**
 * @param inputs positions of the coarse model. @param longest most semantic tokens of a row.
 * @throws EngineError `bad-input` for rates that would plan windows without end, or none.
 */
export function checkRates(
  generation: BarkGenerationConfig,
  inputs: number,
  longest: number,
  where = "generation config",
): void {
  const ratio = coarseRatio(generation);
  if (!(ratio <= inputs) || coarseLength(longest, generation) === 0)
    throw new EngineError("bad-input", "coarse_rate_hz does not fit semantic_rate_hz", {
      where: `${where}: coarse_acoustics_config`,
      expected: `at most ${inputs} coarse tokens a semantic token, and one of the longest speech at least`,
      actual: ratio,
      fix,
    });
}

/**
 * Checks a voice against the models that go on from it: ids within their tables, as many codebooks as they have.
 * @param where what the voice came from. @throws EngineError `bad-input` naming it and the prompt.
 */
export function checkVoiceFits(
  voice: HistoryPrompt,
  generation: BarkGenerationConfig,
  config: BarkConfig,
  where = "history_prompt",
): void {
  const fail = (prompt: string, expected: string, actual: number): never => {
    throw new EngineError("bad-input", `${prompt} of the voice does not fit the checkpoint`, {
      where,
      expected,
      actual,
      fix: "use a voice that was made for this checkpoint",
    });
  };
  const below = (prompt: keyof HistoryPrompt, limit: number): void => {
    const wrong = voice[prompt].data.find((id) => id < 0 || id >= limit);
    if (wrong !== undefined) fail(prompt, `ids from 0 to ${limit - 1}`, wrong);
  };
  const { semantic_config, coarse_acoustics_config, fine_acoustics_config } = config;
  below("semantic_prompt", Math.min(semantic_config.input_vocab_size, coarse_acoustics_config.input_vocab_size));
  const books = (prompt: "coarse_prompt" | "fine_prompt", wanted: number): void => {
    const rows = voice[prompt].shape[0];
    if (rows !== wanted) fail(prompt, `${wanted} codebooks`, rows);
  };
  const { n_coarse_codebooks } = generation.coarse_acoustics_config;
  books("coarse_prompt", n_coarse_codebooks);
  books("fine_prompt", generation.fine_acoustics_config.n_fine_codebooks);
  const offset = generation.semantic_config.semantic_vocab_size + (n_coarse_codebooks - 1) * generation.codebook_size;
  below("coarse_prompt", coarse_acoustics_config.input_vocab_size - offset);
  below("fine_prompt", fine_acoustics_config.input_vocab_size);
}

/** @throws EngineError `usage` unless voices of the rows are as many as the rows. */
export function checkVoiceOfRows(voice: BatchVoice, rows: number): void {
  if (!isVoicePerRow(voice) || voice.length === rows) return;
  throw new EngineError("usage", "has another number of voices than there are texts", {
    where: "history_prompt",
    expected: `${rows} voices, one for each row of input_ids, or one voice for all`,
    actual: voice.length,
  });
}

/**
 * The options of every stage, if keywords and voice fit the checkpoint; needs no weights.
 * @throws EngineError `usage` for a keyword, `bad-input` for a voice.
 */
export function checkGenerate(
  kwargs: GenerateKwargs,
  voice: BatchVoice,
  generation: BarkGenerationConfig,
  config: BarkConfig,
): ReturnType<typeof routeGenerateKwargs> {
  const options = routeGenerateKwargs(kwargs, generation);
  if (isVoicePerRow(voice)) {
    for (const [row, own] of voice.entries())
      if (own !== null) checkVoiceFits(own, generation, config, `history_prompt[${row}]`);
  } else if (voice !== null) checkVoiceFits(voice, generation, config);
  const most = maxSemanticTokens(generation.semantic_config, config.semantic_config.block_size);
  const { max_new_tokens } = options.semantic;
  // transformers runs into the end of the position table only if the speech does not end before. What the caller asks for
  // does so here, too; what a config says is cut.
  const isAsked = kwargs.semantic_max_new_tokens !== undefined || max_new_tokens <= most;
  return isAsked ? options : { ...options, semantic: { ...options.semantic, max_new_tokens: most } };
}

/** The part of {@link checkVoiceFits} that the fine model needs: the GPU does not check ids. */
export function checkFinePrompt({ fine_prompt }: HistoryPrompt, { input_vocab_size }: BarkFineConfig): void {
  const wrong = fine_prompt.data.find((id) => id < 0 || id >= input_vocab_size);
  if (wrong === undefined) return;
  throw new EngineError("bad-input", "fine_prompt of the voice does not fit the checkpoint", {
    where: "history_prompt",
    expected: `ids from 0 to ${input_vocab_size - 1}`,
    actual: wrong,
    fix: "use a voice that was made for this checkpoint",
  });
}
