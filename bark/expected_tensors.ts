import type { TensorReader } from "../engine/tensor_reader.ts";
import type { BarkConfig, BarkFineConfig } from "./config.ts";
import type { BarkSubModelConfig } from "./sub_model_config.ts";
import { checkShape } from "../engine/read_tensor.ts";

/** A tensor that a model reads: under the first of these names that the checkpoint has. */
export interface ExpectedTensor {
  readonly names: readonly string[];
  readonly shape: readonly number[];
}

/**
 * Holds names and shapes of the three GPTs' tensors against their configs; reads no weights. What is wrong with a
 * checkpoint is so told before gigabytes of it are read, and before the stage of a run that it would end.
 * @throws EngineError `bad-input` naming a missing or misshapen tensor.
 */
export function checkGptTensors(reader: TensorReader, config: BarkConfig): void {
  const { semantic_config, coarse_acoustics_config, fine_acoustics_config } = config;
  const parts: [prefix: string, tensors: ExpectedTensor[]][] = [
    ["semantic.", causalTensors(semantic_config)],
    ["coarse_acoustics.", causalTensors(coarse_acoustics_config)],
    ["fine_acoustics.", fineTensors(fine_acoustics_config)],
  ];
  for (const [prefix, tensors] of parts)
    for (const { names, shape } of tensors) {
      const name = names.find((candidate) => reader.has(prefix + candidate)) ?? names[0];
      checkShape(reader, prefix + name, shape);
    }
}

/** What a causal model (semantic, coarse) reads (bark-spec 2.1). */
export function causalTensors(config: BarkSubModelConfig): ExpectedTensor[] {
  const { hidden_size: H, input_vocab_size, output_vocab_size, bias } = config;
  return [
    { names: ["input_embeds_layer.weight"], shape: [input_vocab_size, H] },
    ...blockTensors(config, bias),
    { names: ["lm_head.weight"], shape: [output_vocab_size, H] },
  ];
}

/** What the fine model reads (bark-spec 2.1). */
export function fineTensors(config: BarkFineConfig): ExpectedTensor[] {
  const { hidden_size: H, input_vocab_size, head_vocab_size, n_codes_total, n_codes_given } = config;
  const books = Array.from({ length: n_codes_total }, (_, codebook) => fineTableNames(codebook, config));
  return [
    ...books.map(({ table }) => ({ names: table, shape: [input_vocab_size, H] })),
    ...blockTensors(config, true),
    ...books.slice(n_codes_given).map(({ head }) => ({ names: head, shape: [head_vocab_size, H] })),
  ];
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

function blockTensors(config: BarkSubModelConfig, normBias: boolean): ExpectedTensor[] {
  const { hidden_size: H, num_layers, block_size, bias } = config;
  const norm = (name: string): ExpectedTensor[] =>
    ["weight", ...(normBias ? ["bias"] : [])].map((part) => ({ names: [`${name}.${part}`], shape: [H] }));
  const linear = (name: string, columns: number, inner: number): ExpectedTensor[] => [
    { names: [`${name}.weight`], shape: [columns, inner] },
    ...(bias ? [{ names: [`${name}.bias`], shape: [columns] }] : []),
  ];
  const layers = Array.from({ length: num_layers }, (_, i) => [
    ...norm(`layers.${i}.layernorm_1`),
    ...linear(`layers.${i}.attn.att_proj`, 3 * H, H),
    ...linear(`layers.${i}.attn.out_proj`, H, H),
    ...norm(`layers.${i}.layernorm_2`),
    ...linear(`layers.${i}.mlp.in_proj`, 4 * H, H),
    ...linear(`layers.${i}.mlp.out_proj`, H, 4 * H),
  ]);
  return [
    { names: ["position_embeds_layer.weight"], shape: [block_size, H] },
    ...layers.flat(),
    ...norm("layernorm_final"),
  ];
}
