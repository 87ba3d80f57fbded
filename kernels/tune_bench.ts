import type { Gpu } from "../engine/gpu.ts";
import type { Program } from "../engine/program.ts";
import type { MatrixFormat } from "../engine/dtypes.ts";
import { Scope } from "../engine/scope.ts";
import type { Tensor } from "../engine/tensor.ts";
import type { Dtype } from "../engine/dtypes.ts";
import { attentionDecode, attentionDecodeVersions, decodeScratch } from "./attention/decode.ts";
import { tuned } from "./choose.ts";
import type { Linear } from "./matmul/linear.ts";
import { matmul, matmulVersions, type PlainVersion } from "./matmul/matmul.ts";
import type { Contest } from "./tune.ts";

/** Shapes of bark-small; of one model, whichever is loaded, so that a `Gpu` chooses alike for all. */
const [width, heads, capacity] = [768, 12, 1024];
/** Rows of a prompt. */
const manyRows = 128;
/** Milliseconds that one submit should last, for the steps of a browser's clock are of 0.1 ms; and replays in it at most. */
const [enough, mostReplays] = [2, 24];

/** Operands of true shape, all zero, and a clock: the adapter's own where it has one, else the host's around a submit. */
export class TuneBench {
  readonly #gpu: Gpu;
  readonly #scope: Scope;
  readonly #linear: Linear;
  readonly #queries: { set: GPUQuerySet; resolved: GPUBuffer } | undefined;

  constructor(gpu: Gpu, format: MatrixFormat) {
    this.#gpu = gpu;
    this.#scope = new Scope(gpu);
    const weight = this.#tensor(format, [width, 4 * width]) as Linear["weight"];
    this.#linear = { weight, bias: undefined, inner: width, columns: 4 * width };
    if (!gpu.features.has("timestamp-query")) return;
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    this.#queries = {
      set: gpu.device.createQuerySet({ type: "timestamp", count: 2 }),
      resolved: gpu.createBuffer(16, usage, "tune queries"),
    };
  }

  /** What is to be decided, what counts the most first. */
  contests(): Contest[] {
    return [this.#gemv(), this.#attentionDecode(), this.#gemm()];
  }

  dispose(): void {
    this.#scope.dispose();
    if (this.#queries === undefined) return;
    this.#queries.set.destroy();
    this.#gpu.releaseBuffer(this.#queries.resolved, "tune queries");
  }

  #gemv(): Contest {
    const versions = tuned.gemv.filter((version) => this.#gpu.supports(matmulVersions[version]));
    return this.#contest("gemv", versions, this.#product(1));
  }

  #gemm(): Contest {
    const versions = tuned.gemm.filter((version) => this.#gpu.supports(matmulVersions[version]));
    return this.#contest("gemm", versions, this.#product(manyRows));
  }

  #product(rows: number): (program: Program, version: PlainVersion) => void {
    const x = this.#tensor("f32", [rows, width]);
    const y = this.#tensor("f32", [rows, 4 * width]);
    return (program, version) => matmul(program, x, this.#linear, y, { version });
  }

  /** Half of the cache is full. */
  #attentionDecode(): Contest {
    const versions = tuned.attention_decode.filter((version) => this.#gpu.supports(attentionDecodeVersions[version]));
    const shape = { rows: 1, heads, headDim: width / heads, capacity };
    const state = this.#tensor("u32", [1, 4]);
    state.write(Uint32Array.of(0, capacity / 2, 0, 0));
    const tensors = {
      qkv: this.#tensor("f32", [1, 3 * width]),
      state,
      cache: { k: this.#tensor("f32", [1, capacity, width]), v: this.#tensor("f32", [1, capacity, width]) },
      scratch: decodeScratch(this.#scope, shape),
      y: this.#tensor("f32", [1, width]),
    };
    return this.#contest("attention_decode", versions, (program, version) => {
      attentionDecode(program, tensors, { ...shape, version });
    });
  }

  #contest<V extends string>(
    op: string,
    versions: readonly V[],
    record: (program: Program, version: V) => void,
  ): Contest {
    const programs = new Map<string, Program>();
    const replays = new Map<string, number>();
    const time = async (version: string): Promise<number> => {
      // All of the op at once, so that they compile side by side.
      if (programs.size === 0) for (const each of versions) programs.set(each, this.#record(op, each, record));
      const program = programs.get(version)!;
      let count = replays.get(version);
      if (count === undefined) {
        await this.#time(program, 1); // Some drivers compile at the first dispatch.
        replays.set(version, (count = replaysOf(await this.#time(program, 1))));
      }
      return (await this.#time(program, count)) / count;
    };
    return { op, versions, time };
  }

  #record<V extends string>(op: string, version: V, record: (program: Program, version: V) => void): Program {
    const program = this.#scope.program(`tune ${op} ${version}`);
    record(program, version);
    return program;
  }

  /** Milliseconds of some replays in one submit. */
  async #time(program: Program, replays: number): Promise<number> {
    await program.ready();
    const programs = Array.from({ length: replays }, () => program);
    if (this.#queries !== undefined) return await this.#timeByAdapter(programs, this.#queries);
    const start = performance.now();
    await this.#gpu.submit(programs);
    await this.#gpu.idle();
    return performance.now() - start;
  }

  async #timeByAdapter(
    programs: readonly Program[],
    { set, resolved }: { set: GPUQuerySet; resolved: GPUBuffer },
  ): Promise<number> {
    await this.#gpu.submit(programs, { querySet: set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 });
    const encoder = this.#gpu.device.createCommandEncoder();
    encoder.resolveQuerySet(set, 0, 2, resolved, 0);
    this.#gpu.device.queue.submit([encoder.finish()]);
    const [begin, end] = new BigUint64Array(await this.#gpu.readBuffer(resolved, 0, 16, "tune queries"));
    return Number(end - begin) / 1e6;
  }

  #tensor<D extends Dtype>(dtype: D, shape: readonly number[]): Tensor<D> {
    return this.#scope.tensor(dtype, shape, "tune");
  }
}

/** How often to replay what once took `milliseconds`, which a coarse clock may give as 0. */
function replaysOf(milliseconds: number): number {
  return milliseconds > 0 ? Math.min(mostReplays, Math.ceil(enough / milliseconds)) : mostReplays;
}
