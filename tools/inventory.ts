/** Names, dtypes and shapes of all tensors of the published Barks (bark-spec 2.1), for synthetic ones of true size. */

export interface InventoryTensor {
  readonly name: string;
  readonly dtype: "F32" | "BOOL";
  readonly shape: readonly number[];
}

export interface BarkSize {
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number;
}

export const barkSizes: Record<"small" | "large", BarkSize> = {
  small: { layers: 12, heads: 12, hidden: 768 },
  large: { layers: 24, heads: 16, hidden: 1024 },
};

const blockSize = 1024;

function gptBlocks(prefix: string, { layers, hidden: H }: BarkSize, causal: boolean): InventoryTensor[] {
  const tensors: InventoryTensor[] = [];
  const add = (name: string, ...shape: number[]): void =>
    void tensors.push({ name: prefix + name, dtype: "F32", shape });
  const norm = (name: string): void => {
    add(`${name}.weight`, H);
    if (!causal) add(`${name}.bias`, H);
  };
  add("position_embeds_layer.weight", blockSize, H);
  for (let i = 0; i < layers; i++) {
    const layer = `layers.${i}`;
    norm(`${layer}.layernorm_1`);
    norm(`${layer}.layernorm_2`);
    if (causal)
      tensors.push({ name: `${prefix}${layer}.attn.bias`, dtype: "BOOL", shape: [1, 1, blockSize, blockSize] });
    add(`${layer}.attn.att_proj.weight`, 3 * H, H);
    add(`${layer}.attn.out_proj.weight`, H, H);
    add(`${layer}.mlp.in_proj.weight`, 4 * H, H);
    add(`${layer}.mlp.out_proj.weight`, H, 4 * H);
  }
  norm("layernorm_final");
  return tensors;
}

function causalModel(prefix: string, size: BarkSize, input: number, output: number): InventoryTensor[] {
  return [
    { name: `${prefix}input_embeds_layer.weight`, dtype: "F32", shape: [input, size.hidden] },
    ...gptBlocks(prefix, size, true),
    { name: `${prefix}lm_head.weight`, dtype: "F32", shape: [output, size.hidden] },
  ];
}

function fineModel(prefix: string, size: BarkSize): InventoryTensor[] {
  const table = (name: string): InventoryTensor => ({ name: prefix + name, dtype: "F32", shape: [1056, size.hidden] });
  return [
    ...Array.from({ length: 8 }, (_, i) => table(`input_embeds_layers.${i}.weight`)),
    ...gptBlocks(prefix, size, false),
    ...Array.from({ length: 7 }, (_, i) => table(`lm_heads.${i}.weight`)),
  ];
}

/** EnCodec 24 kHz with its encoder and all 32 quantizers, as the files of 2023 hold it. */
function codec(prefix: string): InventoryTensor[] {
  const tensors: InventoryTensor[] = [];
  const add = (name: string, ...shape: number[]): void =>
    void tensors.push({ name: prefix + name, dtype: "F32", shape });
  const conv = (name: string, outputs: number, inputs: number, kernel: number, transposed = false): void => {
    const [first, second] = transposed ? [inputs, outputs] : [outputs, inputs];
    add(`${name}.conv.bias`, outputs);
    add(`${name}.conv.weight_g`, first, 1, 1);
    add(`${name}.conv.weight_v`, first, second, kernel);
  };
  const residual = (name: string, width: number): void => {
    conv(`${name}.block.1`, width / 2, width, 3);
    conv(`${name}.block.3`, width, width / 2, 1);
    conv(`${name}.shortcut`, width, width, 1);
  };
  const lstm = (name: string): void => {
    for (const layer of [0, 1])
      for (const part of ["ih", "hh"]) {
        add(`${name}.lstm.weight_${part}_l${layer}`, 2048, 512);
        add(`${name}.lstm.bias_${part}_l${layer}`, 2048);
      }
  };
  conv("encoder.layers.0", 32, 1, 7);
  for (const [i, ratio] of [2, 4, 5, 8].entries()) {
    const width = 32 << i;
    residual(`encoder.layers.${3 * i + 1}`, width);
    conv(`encoder.layers.${3 * i + 3}`, 2 * width, width, 2 * ratio);
  }
  lstm("encoder.layers.13");
  conv("encoder.layers.15", 128, 512, 7);
  conv("decoder.layers.0", 512, 128, 7);
  lstm("decoder.layers.1");
  for (const [i, ratio] of [8, 5, 4, 2].entries()) {
    const width = 512 >> i;
    conv(`decoder.layers.${3 * i + 3}`, width / 2, width, 2 * ratio, true);
    residual(`decoder.layers.${3 * i + 4}`, width / 2);
  }
  conv("decoder.layers.15", 1, 32, 7);
  for (let i = 0; i < 32; i++) {
    const codebook = `quantizer.layers.${i}.codebook`;
    add(`${codebook}.embed`, 1024, 128);
    add(`${codebook}.embed_avg`, 1024, 128);
    add(`${codebook}.cluster_size`, 1024);
    add(`${codebook}.inited`, 1);
  }
  return tensors;
}

/** Every tensor of `suno/bark-small` (small) or `suno/bark` (large). */
export function barkInventory(size: BarkSize): InventoryTensor[] {
  return [
    ...causalModel("semantic.", size, 129600, 10048),
    ...causalModel("coarse_acoustics.", size, 12096, 12096),
    ...fineModel("fine_acoustics.", size),
    ...codec("codec_model."),
  ];
}
