import { EncodecConfig } from "../../../encodec/config.ts";
import { EncodecDecoder } from "../../../encodec/decoder.ts";
import { openGpu, type Gpu } from "../../../engine/gpu.ts";
import { recordGpt, WorkReader } from "../../measure/gpt_program.ts";
import type { Prepare, Prepared } from "../contender.ts";
import {
  codecStrides,
  tensorsOf,
  valuesOf,
  type CodecWork,
  type GptWork,
  type TensorSpec,
} from "../../measure/work.ts";

/** bark-webgpu itself, by the parts of it that do the same work as the peers. */
export const prepareOurs: Prepare = async (work, _folder, device) => {
  const gpu = await openGpu(device === undefined ? {} : { device });
  const run = work.kind === "gpt" ? await prepareGpt(gpu, work) : await prepareCodec(gpu, work);
  return { device: gpu.adapterName, run };
};

async function prepareGpt(gpu: Gpu, work: GptWork): Promise<Prepared["run"]> {
  const { input, program, y } = await recordGpt(gpu, work);
  return async () => {
    await gpu.submit([input, program]);
    return await y.read();
  };
}

async function prepareCodec(gpu: Gpu, work: CodecWork): Promise<Prepared["run"]> {
  const config = new EncodecConfig();
  const specs = tensorsOf(work);
  const tensors = new Map<string, { shape: readonly number[]; values: () => Float32Array<ArrayBuffer> }>();
  const add = (name: string, spec: TensorSpec): void =>
    void tensors.set(name, { shape: spec.shape, values: () => valuesOf(spec) });
  const conv = (name: string, from: string): void => {
    for (const part of ["weight", "bias"]) add(`decoder.layers.${name}.conv.${part}`, specs[`${from}.${part}`]);
  };
  conv("0", "first");
  for (const layer of [0, 1]) {
    for (const part of ["ih", "hh"])
      add(`decoder.layers.1.lstm.weight_${part}_l${layer}`, specs[`lstm.${part}.${layer}`]);
    for (const part of ["bias_ih", "bias_hh"])
      add(`decoder.layers.1.lstm.${part}_l${layer}`, specs[`lstm.${part}.${layer}`]);
  }
  for (const i of codecStrides.keys()) {
    conv(`${3 * i + 3}`, `up.${i}`);
    conv(`${3 * i + 4}.block.1`, `inner.${i}`);
    conv(`${3 * i + 4}.block.3`, `outer.${i}`);
    conv(`${3 * i + 4}.shortcut`, `shortcut.${i}`);
  }
  conv("15", "last");
  // One codebook whose entries are the input: code i is frame i.
  const table = new Float32Array(config.codebook_size * config.codebook_dim);
  table.set(valuesOf(specs["x"]));
  const entries = { shape: [config.codebook_size, config.codebook_dim], values: () => table };
  tensors.set("quantizer.layers.0.codebook.embed", entries);
  const decoder = await EncodecDecoder.load(gpu, new WorkReader(tensors), "", config, 1);
  const codes = Int32Array.from({ length: work.frames }, (_, i) => i);
  return async () => (await decoder.decode(codes, work.frames)).data;
}
