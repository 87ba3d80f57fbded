import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import type { EncodecConfig } from "../config/config.ts";
import type { BarkGenerationConfig } from "../config/generation_config.ts";
import type { HistoryPrompt } from "./history_prompt.ts";

/**
 * The smallest bandwidth of a codec that gives all codebooks of a voice.
 * @throws EngineError `bad-input` if the codec has none.
 */
export function bandwidthFor(codec: EncodecConfig, { fine_acoustics_config }: BarkGenerationConfig): number {
  const { n_fine_codebooks: needed } = fine_acoustics_config;
  const found = codec.target_bandwidths.find((bandwidth) => codec.codebooks_at(bandwidth) >= needed);
  if (found !== undefined) return found;
  throw new EngineError("bad-input", "the codec has too few codebooks for a voice", {
    where: "codec_config.target_bandwidths",
    expected: `${needed} codebooks`,
    actual: `${codec.num_quantizers} codebooks`,
  });
}

/**
 * The prompts of a voice that the codec alone can make: coarse and fine, in suno's layout. The semantic prompt needs
 * another model (HuBERT and a quantizer), which Bark does not come with; a voice without it is refused when it is read.
 * @param codes of a recording, [codebooks, frames]. @param other a voice that lends its semantic prompt; both are cut to
 * their last part, as long as the shorter one.
 */
export function voiceOfCodes(
  codes: NdArray<Int32Array>,
  { semantic_config, coarse_acoustics_config, fine_acoustics_config }: BarkGenerationConfig,
  other?: HistoryPrompt,
): Partial<HistoryPrompt> {
  const { n_coarse_codebooks: coarse, coarse_rate_hz } = coarse_acoustics_config;
  const { n_fine_codebooks: fine } = fine_acoustics_config;
  const [, frames] = codes.shape;
  if (other === undefined)
    return { coarse_prompt: endOfRows(codes, coarse, frames), fine_prompt: endOfRows(codes, fine, frames) };
  const { semantic_prompt: semantic } = other;
  const framesOfOne = coarse_rate_hz / semantic_config.semantic_rate_hz;
  const tokens = Math.min(semantic.size, Math.round(frames / framesOfOne));
  const kept = Math.min(frames, Math.round(tokens * framesOfOne));
  return {
    semantic_prompt: new NdArray(Int32Array.from(semantic.data).slice(semantic.size - tokens), [tokens]),
    coarse_prompt: endOfRows(codes, coarse, kept),
    fine_prompt: endOfRows(codes, fine, kept),
  };
}

/** The last `count` columns of the first `rows` rows. */
function endOfRows({ data, shape: [, columns] }: NdArray, rows: number, count: number): NdArray<Int32Array> {
  const result = new Int32Array(rows * count);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < count; i++) result[row * count + i] = data[(row + 1) * columns - count + i];
  return new NdArray(result, [rows, count]);
}
