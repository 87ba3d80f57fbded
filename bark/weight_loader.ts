import { EngineError } from "../engine/errors.ts";
import type { Gpu } from "../engine/gpu.ts";
import type { WeightFormat } from "../engine/shader_source.ts";
import type { Tensor } from "../engine/tensor.ts";
import type { TensorReader } from "../engine/tensor_reader.ts";
import type { LayerNorm } from "../kernels/layernorm/layernorm.ts";
import { createLinear, createWeights, padRows, type Linear } from "../kernels/matmul/linear.ts";

/** Reads the tensors of one sub-model, checks their shapes and puts them on the GPU, one at a time. */
export class WeightLoader {
  readonly gpu: Gpu;
  readonly reader: TensorReader;
  /** Put before every name, such as `semantic.`. */
  readonly prefix: string;
  readonly format: WeightFormat;

  constructor(gpu: Gpu, reader: TensorReader, prefix: string, format: WeightFormat) {
    this.gpu = gpu;
    this.reader = reader;
    this.prefix = prefix;
    this.format = format;
  }

  has(name: string): boolean {
    return this.reader.has(this.prefix + name);
  }

  /** A tensor in host memory. @throws EngineError `bad-input` if it is missing or has another shape. */
  async values(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    this.check(name, shape);
    return await this.reader.readFloat32(this.prefix + name);
  }

  /** @throws EngineError `bad-input` if the tensor is missing or its shape is not `shape`. */
  check(name: string, shape: readonly number[]): void {
    const found = this.reader.info(this.prefix + name);
    if (found.shape.length === shape.length && shape.every((extent, i) => extent === found.shape[i])) return;
    throw new EngineError("bad-input", `tensor ${this.prefix}${name} does not fit config.json`, {
      where: found.file,
      expected: `[${shape.join(", ")}]`,
      actual: `[${found.shape.join(", ")}]`,
      fix: "check that config.json and the weights belong together",
    });
  }

  /** `{name}.weight` [columns, inner] and, if the model has biases, `{name}.bias` [columns]. */
  async linear(name: string, columns: number, inner: number, bias: boolean): Promise<Linear> {
    const weight = await this.values(`${name}.weight`, [columns, inner]);
    return createLinear(this.gpu, weight, columns, inner, this.prefix + name, {
      format: this.format,
      bias: bias ? await this.values(`${name}.bias`, [columns]) : undefined,
    });
  }

  /** `{name}.weight` [width] and, if it has one, `{name}.bias` [width]; always f32. */
  async layerNorm(name: string, width: number, bias: boolean): Promise<LayerNorm> {
    const vector = async (part: string): Promise<Tensor<"f32">> =>
      this.gpu.tensorFrom(
        "f32",
        [width],
        await this.values(`${name}.${part}`, [width]),
        `${this.prefix}${name}.${part}`,
      );
    return { weight: await vector("weight"), bias: bias ? await vector("bias") : undefined };
  }

  /** The first `rows` rows of a table [total, width], for gathering by row: [rows, ceil(width/4)*4]. */
  async table(name: string, total: number, rows: number, width: number): Promise<Tensor<"f32"> | Tensor<"f16">> {
    this.check(name, [total, width]);
    const values = await this.reader.readRows(this.prefix + name, 0, rows);
    const shape = [rows, Math.ceil(width / 4) * 4];
    return createWeights(this.gpu, padRows(values, rows, width), shape, this.prefix + name, this.format);
  }
}
