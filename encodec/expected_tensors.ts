import { checkTensors, type ExpectedTensor, type Initial } from "../engine/weights/expected_tensors.ts";
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

const zeros: Initial = { constant: 0 };

/**
 * Every tensor of a codec (bark-spec 2.3), one by one, filled as transformers 5.23 fills a new one. Its `_init_weights`
 * writes into the product of each weight norm, where the numbers are lost: what stays of a convolution is torch's own.
 * @throws EngineError `bad-input` naming a field that no codec here can follow.
 */
export function* codecTensors(config: EncodecConfig): Generator<ExpectedTensor> {
  checkConfig(config);
  yield* decoderTensors(config, config.num_quantizers);
  for (let i = 0; i < config.num_quantizers; i++) {
    const name = (part: string): string[] => [`quantizer.layers.${i}.codebook.${part}`];
    yield { names: name("embed_avg"), shape: [config.codebook_size, config.codebook_dim], initial: zeros };
    yield { names: name("cluster_size"), shape: [config.codebook_size], initial: zeros };
    yield { names: name("inited"), shape: [1], initial: { constant: 1 } };
  }
  yield* encoderTensors(config);
}

/** What the decoder reads, one by one. */
function* decoderTensors(config: EncodecConfig, codebooks: number): Generator<ExpectedTensor> {
  const { hidden_size, upsampling_ratios, kernel_size, audio_channels } = config;
  let index = 0;
  const layer = (): string => `decoder.layers.${index++}`;
  let channels = config.num_filters * 2 ** upsampling_ratios.length;
  yield* conv(layer(), [channels, hidden_size, kernel_size]);
  yield* lstm(layer(), config.num_lstm_layers, channels);
  for (const stride of upsampling_ratios) {
    index++; // ELU
    yield* convTranspose(layer(), [channels, channels / 2, 2 * stride]);
    channels /= 2;
    for (let j = 0; j < config.num_residual_layers; j++) yield* residual(layer(), channels, config);
  }
  index++; // ELU
  yield* conv(layer(), [audio_channels, channels, config.last_kernel_size]);
  const shape = [config.codebook_size, config.codebook_dim];
  for (let i = 0; i < codebooks; i++) yield { names: [`quantizer.layers.${i}.codebook.embed`], shape, initial: zeros };
}

/** What the encoder reads besides the codebooks, one by one. */
function* encoderTensors(config: EncodecConfig): Generator<ExpectedTensor> {
  const { hidden_size, upsampling_ratios, kernel_size, audio_channels } = config;
  let index = 0;
  const layer = (): string => `encoder.layers.${index++}`;
  let channels = config.num_filters;
  yield* conv(layer(), [channels, audio_channels, kernel_size]);
  for (const stride of upsampling_ratios.toReversed()) {
    for (let j = 0; j < config.num_residual_layers; j++) yield* residual(layer(), channels, config);
    index++; // ELU
    yield* conv(layer(), [2 * channels, channels, 2 * stride]);
    channels *= 2;
  }
  yield* lstm(layer(), config.num_lstm_layers, channels);
  index++; // ELU
  yield* conv(layer(), [hidden_size, channels, config.last_kernel_size]);
}

/** Torch's bound for weights and biases: kaiming_uniform with a = sqrt(5). `shape` as torch has it: [a, b, kernel]. */
const convBound = ([, inner, kernel]: readonly number[]): number => 1 / Math.sqrt(inner * kernel);

/** [outChannels, inChannels, kernelSize] */
function* conv(name: string, shape: readonly number[]): Generator<ExpectedTensor> {
  yield* weightNorm(name, shape);
  yield { names: [`${name}.conv.bias`], shape: [shape[0]], initial: { uniform: convBound(shape) } };
}

/** [inChannels, outChannels, kernelSize] */
function* convTranspose(name: string, shape: readonly number[]): Generator<ExpectedTensor> {
  yield* weightNorm(name, shape);
  yield { names: [`${name}.conv.bias`], shape: [shape[1]], initial: zeros };
}

/** Folded, or direction and magnitude of a weight norm under either of transformers' namings. */
function* weightNorm(name: string, shape: readonly number[]): Generator<ExpectedTensor> {
  const [folded, direction] = [`${name}.conv.weight`, `${name}.conv.parametrizations.weight.original1`];
  yield {
    names: [folded, `${folded}_v`, direction],
    newName: direction,
    shape,
    initial: { uniform: convBound(shape) },
  };
  const magnitude = `${name}.conv.parametrizations.weight.original0`;
  yield {
    names: [`${folded}_g`, magnitude],
    newName: magnitude,
    shape: [shape[0], 1, 1],
    optional: true,
    initial: { rowNorms: direction },
  };
}

function* lstm(name: string, layers: number, width: number): Generator<ExpectedTensor> {
  // xavier_uniform of [4 width, width]
  const weight: Initial = { uniform: Math.sqrt(6 / (5 * width)) };
  for (let i = 0; i < layers; i++)
    for (const kind of ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]) {
      const isBias = kind.startsWith("bias");
      yield {
        names: [`${name}.lstm.${kind}_l${i}`],
        shape: isBias ? [4 * width] : [4 * width, width],
        initial: isBias ? zeros : weight,
      };
    }
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
