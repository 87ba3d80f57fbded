import type { Gpu } from "../../engine/gpu.ts";
import type { Program } from "../../engine/program/program.ts";
import { summarize, type Summary } from "./statistics.ts";

/**
 * Which clock told the times: the adapter's own (`timestamp-query`), the host's around submit and wait, or the processor time of
 * the process (all cores together), which a software adapter computes in: others on the machine change it little.
 */
export type Clock = "timestamp" | "wall" | "cpu";

export interface Timing {
  readonly clock: Clock;
  /** Milliseconds of one run. */
  readonly milliseconds: Summary;
}

/** How long to measure one thing. */
export interface Effort {
  /** Repetitions at least, and at most. */
  readonly least: number;
  readonly most: number;
  /** Milliseconds after which enough was repeated. */
  readonly enough: number;
  /** Milliseconds that one submit should take at least, so that its own cost does not count. */
  readonly batch: number;
}

export const usualEffort: Effort = { least: 3, most: 15, enough: 250, batch: 15 };
export const smokeEffort: Effort = { least: 1, most: 1, enough: 0, batch: 0 };

/** Times programs by the adapter's clock where it has one, else by the host's. */
export class Stopwatch {
  readonly clock: Clock;
  readonly #gpu: Gpu;
  readonly #queries: { set: GPUQuerySet; resolved: GPUBuffer; staging: GPUBuffer } | undefined;

  /** @param clock `cpu`, in Node and Deno alone; default: the adapter's clock, or the host's. */
  constructor(gpu: Gpu, clock?: "cpu") {
    this.#gpu = gpu;
    this.clock = clock ?? (gpu.features.has("timestamp-query") ? "timestamp" : "wall");
    if (this.clock !== "timestamp") return;
    const { device } = gpu;
    this.#queries = {
      set: device.createQuerySet({ type: "timestamp", count: 2 }),
      resolved: device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC }),
      staging: device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
    };
  }

  /** Milliseconds of one replay of a program that only dispatches, in one pass and one submit. */
  async time(program: Program): Promise<number> {
    const queries = this.#queries;
    if (queries === undefined) return await this.#wall(program);
    const steps = await program.steps();
    this.#gpu.check();
    const encoder = this.#gpu.device.createCommandEncoder();
    const timestampWrites = { querySet: queries.set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    const pass = encoder.beginComputePass({ timestampWrites });
    for (const step of steps) {
      if (step.kind === "copy") throw new Error(`${program.label}: a copy would split the pass that is timed`);
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, step.bindGroup);
      pass.dispatchWorkgroups(...step.workgroups);
    }
    pass.end();
    encoder.resolveQuerySet(queries.set, 0, 2, queries.resolved, 0);
    encoder.copyBufferToBuffer(queries.resolved, 0, queries.staging, 0, 16);
    this.#gpu.device.queue.submit([encoder.finish()]);
    await queries.staging.mapAsync(GPUMapMode.READ);
    const [begin, end] = new BigUint64Array(queries.staging.getMappedRange().slice(0));
    queries.staging.unmap();
    this.#gpu.check();
    return Number(end - begin) / 1e6;
  }

  async #wall(program: Program): Promise<number> {
    await program.ready();
    const now = this.clock === "cpu" ? processorTime : () => performance.now();
    const start = now();
    await program.run();
    await this.#gpu.idle();
    return now() - start;
  }

  /**
   * Times one run of something, in batches. A run works on one of `copies` copies of its operands, and runs walk around
   * them, so that no cache holds what a run reads.
   * @param record records one run on copy `copy`.
   */
  async measure(
    label: string,
    copies: number,
    record: (program: Program, copy: number) => void,
    effort: Effort,
  ): Promise<Timing> {
    let next = 0;
    const recordBatch = (size: number): Program => {
      const program = this.#gpu.program(label);
      for (let i = 0; i < size; i++) record(program, next++ % copies);
      return program;
    };
    const timeBatch = async (size: number): Promise<number> => {
      const program = recordBatch(size);
      try {
        return (await this.time(program)) / size;
      } finally {
        program.dispose();
      }
    };
    await timeBatch(1); // Some drivers compile at the first dispatch.
    const estimate = Math.max(await timeBatch(1), 1e-4);
    const size = Math.min(mostInBatch, Math.max(1, Math.ceil(effort.batch / estimate)));
    const samples: number[] = [];
    for (let spent = 0; samples.length < effort.least || (samples.length < effort.most && spent < effort.enough);) {
      const sample = await timeBatch(size);
      samples.push(sample);
      spent += sample * size;
      // Something slow is not worth the wait for a good median.
      if (spent > 10 * effort.enough) break;
    }
    return { clock: this.clock, milliseconds: summarize(samples) };
  }

  dispose(): void {
    this.#queries?.set.destroy();
    this.#queries?.resolved.destroy();
    this.#queries?.staging.destroy();
  }
}

/** Milliseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const mostInBatch = 500;
