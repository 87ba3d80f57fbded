import { checkFinite, checkNotZero, checkShape, readTensor, readWeight } from "../../engine/weights/read_tensor.ts";
import type { Scope } from "../../engine/scope.ts";
import type { MatrixFormat, WeightFormat } from "../../engine/dtypes.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import { chooseStorage } from "../../kernels/choose.ts";
import type { LayerNorm } from "../../kernels/layernorm/layernorm.ts";
import { createLinear, createWeights, padRows, type Linear } from "../../kernels/matmul/linear.ts";

/** Reads the tensors of one sub-model, checks them and puts them on the GPU, one at a time. */
export class WeightLoader {
  /** Of what it loads. */
  readonly scope: Scope;
  readonly reader: TensorReader;
  /** Put before every name, such as `semantic.`. */
  readonly prefix: string;
  /** Of the matrices of attention and MLP. */
  readonly format: MatrixFormat;

  constructor(scope: Scope, reader: TensorReader, prefix: string, format: MatrixFormat) {
    this.scope = scope;
    this.reader = reader;
    this.prefix = prefix;
    this.format = format;
  }

  /** The first of the names that the checkpoint has, else the first. */
  first(names: readonly string[]): string {
    return names.find((name) => this.reader.has(this.prefix + name)) ?? names[0];
  }

  /** `{name}.weight` [columns, inner] and, if the model has biases, `{name}.bias` [columns]. */
  async linear(name: string, columns: number, inner: number, bias: boolean): Promise<Linear> {
    const weight = await this.#weight(`${name}.weight`, [columns, inner]);
    return createLinear(this.scope, weight, columns, inner, this.prefix + name, {
      format: this.#rounding(`${name}.weight`, this.format),
      bias: bias ? await this.#values(`${name}.bias`, [columns]) : undefined,
    });
  }

  /** The head `name` [columns, inner], which has no bias. */
  async head(name: string, columns: number, inner: number): Promise<Linear> {
    const weight = await this.#weight(name, [columns, inner]);
    const format = this.#rounding(name, this.#tableFormat);
    return createLinear(this.scope, weight, columns, inner, this.prefix + name, { format });
  }

  /** `{name}.weight` [width] and, if it has one, `{name}.bias` [width]; always f32. */
  async layerNorm(name: string, width: number, bias: boolean): Promise<LayerNorm> {
    const vector = async (part: string): Promise<Tensor<"f32">> => {
      const values = await this.#values(`${name}.${part}`, [width]);
      return this.scope.tensorFrom("f32", [width], values, `${this.prefix}${name}.${part}`);
    };
    return { weight: await vector("weight"), bias: bias ? await vector("bias") : undefined };
  }

  /** The first `rows` rows of a table [total, width], for gathering by row: [rows, ceil(width/4)*4]. */
  async table(name: string, total: number, rows: number, width: number): Promise<Tensor<"f32"> | Tensor<"f16">> {
    checkShape(this.reader, this.prefix + name, [total, width]);
    const values = await this.reader.readRows(this.prefix + name, 0, rows);
    checkFinite(this.reader, this.prefix + name, values);
    checkNotZero(this.reader, this.prefix + name, values);
    return this.#keepTable(padRows(values, rows, width), [rows, Math.ceil(width / 4) * 4], name);
  }

  /** Tables [rows, width] one after the other, for gathering by row: [names.length, rows, ceil(width/4)*4]. */
  async tables(
    names: readonly string[],
    rows: number,
    width: number,
    label: string,
  ): Promise<Tensor<"f32"> | Tensor<"f16">> {
    const stride = Math.ceil(width / 4) * 4;
    const all = new Float32Array(names.length * rows * stride);
    for (const [i, name] of names.entries())
      all.set(padRows(await this.#weight(name, [rows, width]), rows, width), i * rows * stride);
    return this.#keepTable(all, [names.length, rows, stride], label);
  }

  /** Format of tables, positions and heads: in 8 bits they turn speech into silence (as CrispASR's ports of Bark found). */
  get #tableFormat(): WeightFormat {
    return this.format === "q8" ? "f16" : this.format;
  }

  /** The format that a matrix has to be rounded to; undefined if it is stored as f32 and the checkpoint holds halves. */
  #rounding(name: string, format: MatrixFormat): MatrixFormat {
    const isHalf = this.reader.info(this.prefix + name).dtype === "F16";
    return format === "f16" && isHalf ? chooseStorage(this.scope.gpu, format) : format;
  }

  async #weight(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    return await readWeight(this.reader, this.prefix + name, shape);
  }

  /** A tensor in host memory. @throws EngineError `bad-input` if it is missing or has another shape. */
  async #values(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    return await readTensor(this.reader, this.prefix + name, shape);
  }

  #keepTable(values: Float32Array<ArrayBuffer>, shape: readonly number[], name: string) {
    return createWeights(this.scope, values, shape, this.prefix + name, this.#tableFormat);
  }
}
