import { EngineError } from "../../engine/errors.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import { PythonFloat } from "./python_json.ts";

const sampling_rate = 24000;

/**
 * The `codec_config` of a Bark for a 24 kHz EnCodec, from the shapes of its tensors under Meta's names. Fields that shapes
 * do not determine are as in the published model, which are the defaults of `EncodecConfig`.
 * @throws EngineError `bad-input` if a tensor is missing.
 */
export function codecConfig(codec: TensorReader): Record<string, unknown> {
  const layers = decoderLayers(codec);
  const convolutions = layers.filter((layer) => layer.kind === "conv");
  const transposed = layers.filter((layer) => layer.kind === "convtr");
  const residuals = layers.filter((layer) => layer.kind === "block.1.conv");
  const [first, last] = [convolutions[0], convolutions[convolutions.length - 1]];
  if (first === undefined || transposed.length === 0) throw noCodec(codec, "no convolutions");
  const [codebook_size, codebook_dim] = shapeOf(codec, "quantizer.vq.layers.0._codebook.embed", 2);
  // A transposed convolution is twice as wide as its stride.
  const upsampling_ratios = transposed.map(({ shape }) => shape[2] / 2);
  const hop = upsampling_ratios.reduce((product, ratio) => product * ratio, 1);
  return {
    model_type: "encodec",
    sampling_rate,
    audio_channels: last.shape[0],
    hidden_size: first.shape[1],
    num_filters: last.shape[1],
    num_residual_layers: Math.round(residuals.length / transposed.length),
    upsampling_ratios,
    kernel_size: first.shape[2],
    last_kernel_size: last.shape[2],
    ...(residuals.length === 0
      ? {}
      : { residual_kernel_size: residuals[0].shape[2], compress: residuals[0].shape[1] / residuals[0].shape[0] }),
    num_lstm_layers: count(codec, /^decoder\.model\.\d+\.lstm\.weight_ih_l\d+$/),
    use_conv_shortcut: residuals.length === 0 || count(codec, /^decoder\.model\.\d+\.shortcut\./) > 0,
    codebook_size,
    codebook_dim,
    target_bandwidths: bandwidths(
      count(codec, /^quantizer\.vq\.layers\.\d+\._codebook\.embed$/),
      Math.ceil(sampling_rate / hop) * Math.ceil(Math.log2(codebook_size)),
    ),
  };
}

interface DecoderLayer {
  readonly kind: "conv" | "convtr" | "block.1.conv";
  /** Of its weight. */
  readonly shape: readonly number[];
}

/** The decoder's convolutions from latent to audio; of a residual block the first. */
function decoderLayers(codec: TensorReader): DecoderLayer[] {
  const pattern =
    /^decoder\.model\.(\d+)\.(conv|convtr|block\.1\.conv)\.(?:conv|convtr)\.(?:weight|weight_v|parametrizations\.weight\.original1)$/;
  const found: (DecoderLayer & { index: number })[] = [];
  for (const name of codec.names()) {
    const match = pattern.exec(name);
    if (match === null) continue;
    found.push({ index: Number(match[1]), kind: match[2] as DecoderLayer["kind"], shape: shapeOf(codec, name, 3) });
  }
  return found.sort((a, b) => a.index - b.index);
}

function shapeOf(codec: TensorReader, name: string, axes: number): readonly number[] {
  const { shape } = codec.info(name);
  if (shape.length !== axes || shape.includes(0)) throw noCodec(codec, `${name} of shape [${shape.join(", ")}]`);
  return shape;
}

function count(codec: TensorReader, pattern: RegExp): number {
  return Array.from(codec.names()).filter((name) => pattern.test(name)).length;
}

/**
 * Bandwidths in kbit/s of all codebooks and of a half, a quarter, … of them, down to two. (All of 32 codebooks at 75
 * frames of 10 bits: 24, and so 1.5, 3, 6, 12, 24.)
 */
function bandwidths(codebooks: number, bitsPerCodebook: number): PythonFloat[] {
  const counts = [codebooks];
  while (counts[0] % 2 === 0 && counts[0] > 2) counts.unshift(counts[0] / 2);
  return counts.map((books) => new PythonFloat((books * bitsPerCodebook) / 1000));
}

function noCodec(codec: TensorReader, actual: string): EngineError {
  return new EngineError("bad-input", "is not a 24 kHz EnCodec", {
    where: Array.from(codec.names(), (name) => codec.info(name).file)[0] ?? "codec",
    expected: "the tensors of Meta's encodec_24khz",
    actual,
  });
}
