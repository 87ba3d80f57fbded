import { codecTensors } from "../../encodec/expected_tensors.ts";
import { checkTensors, withPrefix, type ExpectedTensor, type Initial } from "../../engine/weights/expected_tensors.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import type { BarkConfig, BarkFineConfig } from "../config/config.ts";
import type { BarkSubModelConfig } from "../config/sub_model_config.ts";

/**
 * Checks names and shapes of the three GPTs' tensors against their configs; reads no weights. So a wrong checkpoint fails
 * before gigabytes are read, not in the middle of a run.
 * @throws EngineError `bad-input` naming a missing or misshapen tensor.
 */
export function checkGptTensors(reader: TensorReader, config: BarkConfig): void {
  checkTensors(reader, "semantic.", causalTensors(config.semantic_config));
  checkTensors(reader, "coarse_acoustics.", causalTensors(config.coarse_acoustics_config));
  checkTensors(reader, "fine_acoustics.", fineTensors(config.fine_acoustics_config));
}

/** Every tensor of a whole Bark, the codec's encoder included, one by one. */
export function* barkTensors(config: BarkConfig): Generator<ExpectedTensor> {
  yield* withPrefix("semantic.", causalTensors(config.semantic_config));
  yield* withPrefix("coarse_acoustics.", causalTensors(config.coarse_acoustics_config));
  yield* withPrefix("fine_acoustics.", fineTensors(config.fine_acoustics_config));
  yield* withPrefix("codec_model.", codecTensors(config.codec_config));
}

/** Of tables and matrices, as in transformers, where a range of 0 counts as not given. */
const normal = ({ initializer_range }: BarkSubModelConfig): Initial => ({ normal: initializer_range || 0.02 });

/** What a causal model (semantic, coarse) reads (bark-spec 2.1), one by one. */
export function* causalTensors(config: BarkSubModelConfig): Generator<ExpectedTensor> {
  const { hidden_size: H, input_vocab_size, output_vocab_size, bias } = config;
  const initial = normal(config);
  yield { names: ["input_embeds_layer.weight"], shape: [input_vocab_size, H], initial };
  yield* blockTensors(config, bias);
  yield { names: ["lm_head.weight"], shape: [output_vocab_size, H], initial };
}

/** What the fine model reads (bark-spec 2.1), one by one. */
export function* fineTensors(config: BarkFineConfig): Generator<ExpectedTensor> {
  const { hidden_size: H, input_vocab_size, head_vocab_size, n_codes_total, n_codes_given } = config;
  const initial = normal(config);
  for (let book = 0; book < n_codes_total; book++)
    yield { names: fineTableNames(book, config).table, shape: [input_vocab_size, H], initial };
  yield* blockTensors(config, true);
  const own = config.tie_word_embeddings ? {} : { initial };
  for (let book = n_codes_given; book < n_codes_total; book++)
    yield { names: fineTableNames(book, config).head, shape: [head_vocab_size, H], ...own };
}

/**
 * Names of a codebook's token table and head in the fine model. Head i shares its matrix with table i + 1 (of its own
 * codebook only where one codebook is given), and a file may hold it under either name; a codebook that is given has no
 * head.
 */
export function fineTableNames(
  codebook: number,
  { n_codes_total, n_codes_given }: BarkFineConfig,
): Record<"table" | "head", readonly string[]> {
  const tableName = (i: number): string => `input_embeds_layers.${i}.weight`;
  const headName = (i: number): string => `lm_heads.${i}.weight`;
  const twin = codebook - 1;
  const hasTwin = twin >= 0 && twin < n_codes_total - n_codes_given;
  const own = codebook - n_codes_given;
  return {
    table: [tableName(codebook), ...(hasTwin ? [headName(twin)] : [])],
    head: own < 0 ? [] : [headName(own), tableName(own + 1)],
  };
}

function* blockTensors(config: BarkSubModelConfig, normBias: boolean): Generator<ExpectedTensor> {
  const { hidden_size: H, num_layers, block_size, bias } = config;
  const [initial, ones, zeros] = [normal(config), { constant: 1 }, { constant: 0 }];
  const norm = (name: string): ExpectedTensor[] => [
    { names: [`${name}.weight`], shape: [H], initial: ones },
    ...(normBias ? [{ names: [`${name}.bias`], shape: [H], initial: zeros }] : []),
  ];
  const linear = (name: string, columns: number, inner: number): ExpectedTensor[] => [
    { names: [`${name}.weight`], shape: [columns, inner], initial },
    ...(bias ? [{ names: [`${name}.bias`], shape: [columns], initial: zeros }] : []),
  ];
  yield { names: ["position_embeds_layer.weight"], shape: [block_size, H], initial };
  for (let i = 0; i < num_layers; i++) {
    yield* norm(`layers.${i}.layernorm_1`);
    yield* linear(`layers.${i}.attn.att_proj`, 3 * H, H);
    yield* linear(`layers.${i}.attn.out_proj`, H, H);
    yield* norm(`layers.${i}.layernorm_2`);
    yield* linear(`layers.${i}.mlp.in_proj`, 4 * H, H);
    yield* linear(`layers.${i}.mlp.out_proj`, H, 4 * H);
  }
  yield* norm("layernorm_final");
}
