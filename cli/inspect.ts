import { stat } from "node:fs/promises";
import { describeNpy, describeNpz } from "../checkpoint/numpy/describe_arrays.ts";
import { openWeights } from "../checkpoint/open_weights.ts";
import { TorchFile } from "../checkpoint/torch/torch_file.ts";
import { EngineError } from "../engine/errors.ts";
import type { FileStore } from "../checkpoint/stores/file_store.ts";
import { FileSource } from "../checkpoint/node/file_source.ts";
import { SafetensorsFile } from "../checkpoint/safetensors/file.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import { BarkConfig, type BarkSubModelConfig } from "../bark/config/config.ts";
import { BarkGenerationConfig } from "../bark/config/generation_config.ts";
import { VoicePresets } from "../bark/voice/voices.ts";
import { parseCommandLine, requirePositionals } from "./command_line.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { defaultModel, openModel } from "./files/model_location.ts";
import { print } from "./process/print.ts";

/** `bark inspect`: what a checkpoint or a file holds. */
export async function inspect(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const { values, positionals } = parseCommandLine("inspect", args, { model: { type: "string", short: "m" } });
  const expected = values.model === undefined ? 1 : 0;
  requirePositionals("inspect", positionals, expected, expected);
  const location = values.model ?? positionals[0];
  const found = location === defaultModel ? undefined : await stat(location).catch(() => undefined);
  for await (const line of found === undefined || found.isDirectory()
    ? inspectCheckpoint(await openModel(location, interrupt.signal))
    : inspectFile(location))
    print(line);
  return 0;
}

async function* inspectFile(file: string): AsyncGenerator<string> {
  const source = await FileSource.open(file);
  if (source === undefined) throw new EngineError("bad-input", "no such file", { where: file });
  if (/\.safetensors$/i.test(file)) yield* describeSafetensors(await SafetensorsFile.open(source));
  else if (/\.(pt|pth|bin|th)$/i.test(file)) yield* describeTensors(await TorchFile.open(source));
  else if (/\.npz$/i.test(file)) yield* describeNpz(source);
  else if (/\.npy$/i.test(file)) yield await describeNpy(source);
  else
    throw new EngineError("bad-input", "is not a kind of file that can be shown", {
      where: file,
      expected: ".safetensors, .pt, .bin, .th, .npz, .npy or the folder of a checkpoint",
      actual: file.split(/[/\\]/).at(-1),
    });
  await source.close();
}

function* describeSafetensors(file: SafetensorsFile): Generator<string> {
  for (const [key, value] of file.header.metadata) yield `metadata ${key}: ${value}`;
  yield* describeTensors(file);
}

function* describeTensors(reader: TensorReader): Generator<string> {
  for (const name of reader.names()) {
    const { dtype, shape } = reader.info(name);
    yield `${name}  ${dtype}  [${shape.join(", ")}]`;
  }
  yield describeWeights(reader);
}

async function* inspectCheckpoint(store: FileStore): AsyncGenerator<string> {
  const config = await BarkConfig.from_pretrained(store);
  const { semantic_config: semantic } = await BarkGenerationConfig.from_pretrained(store);
  const reader = await openWeights(store);
  const { names: presets } = await VoicePresets.from_pretrained(store);
  const { codec_config: codec } = config;
  yield store.name;
  for (const part of ["semantic", "coarse_acoustics", "fine_acoustics"] as const)
    yield `${part}: ${describeGpt(config[`${part}_config`])}; ${describeWeights(reader, `${part}.`)}`;
  yield (
    `codec_model: ${codec.sampling_rate} Hz, ${codec.num_quantizers} codebooks of ${codec.codebook_size}, ` +
    `hop length ${codec.hop_length}; ${describeWeights(reader, "codec_model.")}`
  );
  yield `weights: ${describeWeights(reader)}`;
  yield `text: at most ${semantic.max_input_semantic_length} tokens`;
  yield `voices: ${presets.length} presets`;
  await reader.close();
}

function describeGpt(config: BarkSubModelConfig): string {
  const { num_layers, num_heads, hidden_size, block_size, input_vocab_size, output_vocab_size, bias } = config;
  return (
    `${num_layers} layers, ${num_heads} heads, hidden ${hidden_size}, block ${block_size}, ` +
    `vocabulary ${input_vocab_size} in, ${output_vocab_size} out${bias ? ", with biases" : ""}`
  );
}

function describeWeights(reader: TensorReader, prefix = ""): string {
  const values = new Map<string, number>();
  let tensors = 0;
  for (const name of reader.names()) {
    if (!name.startsWith(prefix)) continue;
    const { dtype, shape } = reader.info(name);
    values.set(dtype, (values.get(dtype) ?? 0) + shape.reduce((product, extent) => product * extent, 1));
    tensors++;
  }
  const byDtype = Array.from(values, ([dtype, count]) => `${(count / 1e6).toFixed(2)} M ${dtype}`);
  return `${tensors} tensors, ${byDtype.join(" + ") || "no values"}`;
}
