import { checkTensors, type ExpectedTensor } from "../engine/weights/expected_tensors.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import type { EncodecConfig } from "./config.ts";
import { checkConfig } from "./supported.ts";

/**
 * Checks a codec's config against the tensors of its decoder and its first `codebooks` codebooks, before anything is built
 * from its numbers. @throws EngineError `bad-input` naming the field or the tensor.
 */
export function checkDecoder(
  reader: TensorReader,
  prefix: string,
  config: EncodecConfig,
  codebooks: number = config.num_quantizers,
): void {
  checkConfig(config);
  checkTensors(reader, prefix, decoderTensors(config, codebooks));
}

/** What the decoder reads (bark-spec 2.3), one by one. */
function* decoderTensors(config: EncodecConfig, codebooks: number): Generator<ExpectedTensor> {
  const { hidden_size, upsampling_ratios, kernel_size, audio_channels } = config;
  let index = 0;
  const layer = (): string => `decoder.layers.${index++}`;
  let channels = config.num_filters * 2 ** upsampling_ratios.length;
  yield* conv(layer(), [channels, hidden_size, kernel_size]);
  yield* lstm(layer(), config.num_lstm_layers, channels);
  for (const stride of upsampling_ratios) {
    index++; // ELU
    yield* conv(layer(), [channels, channels / 2, 2 * stride], channels / 2);
    channels /= 2;
    for (let j = 0; j < config.num_residual_layers; j++) yield* residual(layer(), channels, config);
  }
  index++; // ELU
  yield* conv(layer(), [audio_channels, channels, config.last_kernel_size]);
  for (let i = 0; i < codebooks; i++)
    yield { names: [`quantizer.layers.${i}.codebook.embed`], shape: [config.codebook_size, config.codebook_dim] };
}

/** Folded, or the direction of a weight norm under either of transformers' namings. */
function* conv(name: string, shape: readonly number[], outChannels = shape[0]): Generator<ExpectedTensor> {
  const weights = ["weight", "weight_v", "parametrizations.weight.original1"];
  yield { names: weights.map((weight) => `${name}.conv.${weight}`), shape };
  yield { names: [`${name}.conv.bias`], shape: [outChannels] };
}

function* lstm(name: string, layers: number, width: number): Generator<ExpectedTensor> {
  for (let i = 0; i < layers; i++)
    for (const kind of ["weight_ih", "weight_hh", "bias_ih", "bias_hh"])
      yield {
        names: [`${name}.lstm.${kind}_l${i}`],
        shape: kind.startsWith("bias") ? [4 * width] : [4 * width, width],
      };
}

function* residual(
  name: string,
  width: number,
  { compress, residual_kernel_size, use_conv_shortcut }: EncodecConfig,
): Generator<ExpectedTensor> {
  const inner = Math.floor(width / compress);
  yield* conv(`${name}.block.1`, [inner, width, residual_kernel_size]);
  yield* conv(`${name}.block.3`, [width, inner, 1]);
  if (use_conv_shortcut) yield* conv(`${name}.shortcut`, [width, width, 1]);
}
