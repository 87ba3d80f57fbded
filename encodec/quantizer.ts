import { EngineError } from "../engine/errors.ts";
import type { Program } from "../engine/program/program.ts";
import type { Tensor } from "../engine/tensor.ts";
import { createCodebook, nearestEntries, type Codebook } from "../kernels/codebook/codebook.ts";
import { embedding } from "../kernels/embedding/embedding.ts";
import { padRows } from "../kernels/matmul/linear.ts";
import type { EncodecConfig } from "./config.ts";
import type { Recorder } from "../engine/program/recorder.ts";
import type { Scope } from "../engine/scope.ts";
import type { CodecWeights } from "./weights.ts";

const entriesOf = (codebook: number): string => `quantizer.layers.${codebook}.codebook.embed`;

/** The codebooks of the residual vector quantizer, for decoding. */
export class EncodecCodebooks {
  /** How many codebooks are loaded. */
  readonly count: number;
  /** Entries of one. */
  readonly size: number;
  /** Width of an entry. */
  readonly dimension: number;
  readonly #table: Tensor<"f32">;

  private constructor(table: Tensor<"f32">, count: number, size: number, dimension: number) {
    this.#table = table;
    this.count = count;
    this.size = size;
    this.dimension = dimension;
  }

  /** Loads the first `count` codebooks, `quantizer.layers.{i}.codebook.embed`. */
  static async load(
    scope: Scope,
    weights: CodecWeights,
    config: EncodecConfig,
    count: number,
  ): Promise<EncodecCodebooks> {
    const { codebook_size: size, codebook_dim: dimension } = config;
    const stride = Math.ceil(dimension / 4) * 4;
    const table = new Float32Array(count * size * stride);
    for (let i = 0; i < count; i++) {
      const embed = await weights.values(entriesOf(i), [size, dimension]);
      table.set(padRows(embed, size, dimension), i * size * stride);
    }
    const tensor = scope.tensorFrom("f32", [count, size, stride], table, `${weights.prefix}quantizer`);
    return new EncodecCodebooks(tensor, count, size, dimension);
  }

  /** Records y[t] = the sum of the entries that frame t names. codes: [frames, codebooks]; y: [frames, dimension]. */
  record(program: Program, codes: Tensor<"u32">, codebooks: number, frames: number, y: Tensor<"f32">): void {
    embedding(
      program,
      { table: this.#table, vocabulary: this.size, width: this.dimension },
      { tensor: codes, stride: codebooks, tables: codebooks, tableStride: 1 },
      y,
      frames,
    );
  }

  /** @throws EngineError `usage` naming the first code that no codebook has. */
  check(codes: ArrayLike<number>, codebooks: number): void {
    for (let i = 0; i < codes.length; i++)
      if (!(codes[i] >= 0 && codes[i] < this.size))
        throw new EngineError("usage", "code is outside its codebook", {
          where: `frame ${Math.floor(i / codebooks)}, codebook ${i % codebooks}`,
          expected: `0 to ${this.size - 1}`,
          actual: codes[i],
        });
  }
}

/** The residual vector quantizer, for encoding: each codebook codes the rest that those before it left. */
export class EncodecQuantizer {
  readonly #codebooks: readonly Codebook[];

  private constructor(codebooks: readonly Codebook[]) {
    this.#codebooks = codebooks;
  }

  /** Loads the first `count` codebooks, `quantizer.layers.{i}.codebook.embed`. */
  static async load(
    scope: Scope,
    weights: CodecWeights,
    config: EncodecConfig,
    count: number,
  ): Promise<EncodecQuantizer> {
    const { codebook_size: size, codebook_dim: dimension } = config;
    const codebooks: Codebook[] = [];
    for (let i = 0; i < count; i++) {
      const entries = await weights.values(entriesOf(i), [size, dimension]);
      codebooks.push(createCodebook(scope, entries, size, dimension, weights.prefix + entriesOf(i)));
    }
    return new EncodecQuantizer(codebooks);
  }

  /** How many codebooks are loaded. */
  get count(): number {
    return this.#codebooks.length;
  }

  /** Records the codes of frames x, whose values are lost. x: [frames, dimension]; result: [codebooks, frames]. */
  record(recorder: Recorder, x: Tensor<"f32">, frames: number, codebooks: number, scope: Scope): Tensor<"u32"> {
    const { inner, columns } = this.#codebooks[0];
    const scores = scope.tensor("f32", [frames * columns], "codec scores");
    const codes = scope.tensor("u32", [codebooks * frames], "codec codes");
    for (const [i, codebook] of this.#codebooks.slice(0, codebooks).entries())
      nearestEntries(recorder.program(frames * inner * columns), x, frames, codebook, {
        scores,
        codes,
        first: i * frames,
      });
    return codes;
  }
}
