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

/** Encodes what is timed into one pass. */
export type EncodePass = (pass: GPUComputePassEncoder) => void;

/** What a stopwatch needs of a device: a Gpu, or the device of another engine. */
export interface TimedDevice {
  readonly device: GPUDevice;
  readonly features: { has(name: GPUFeatureName): boolean };
  /** Resolves once all that was submitted has run. */
  idle(): Promise<void>;
  /** @throws what went wrong on the device since the last call. */
  check(): void;
}

/** Times passes by the adapter's clock where it has one, else by the host's. */
export class Stopwatch {
  readonly clock: Clock;
  readonly #gpu: TimedDevice;
  readonly #queries: { set: GPUQuerySet; resolved: GPUBuffer; staging: GPUBuffer } | undefined;

  /** @param clock `cpu`, in Node and Deno alone; default: the adapter's clock, or the host's. */
  constructor(gpu: TimedDevice, clock?: "cpu") {
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

  /** Milliseconds of one pass in a submit of its own. */
  async time(encode: EncodePass): Promise<number> {
    const queries = this.#queries;
    this.#gpu.check();
    const { device } = this.#gpu;
    const now = this.clock === "cpu" ? processorTime : () => performance.now();
    const start = now();
    const encoder = device.createCommandEncoder();
    const timestampWrites = queries && { querySet: queries.set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    const pass = encoder.beginComputePass(timestampWrites && { timestampWrites });
    encode(pass);
    pass.end();
    if (queries === undefined) {
      device.queue.submit([encoder.finish()]);
      await this.#gpu.idle();
      this.#gpu.check();
      return now() - start;
    }
    encoder.resolveQuerySet(queries.set, 0, 2, queries.resolved, 0);
    encoder.copyBufferToBuffer(queries.resolved, 0, queries.staging, 0, 16);
    device.queue.submit([encoder.finish()]);
    await queries.staging.mapAsync(GPUMapMode.READ);
    const [begin, end] = new BigUint64Array(queries.staging.getMappedRange().slice(0));
    queries.staging.unmap();
    this.#gpu.check();
    return Number(end - begin) / 1e6;
  }

  /**
   * Times one run of something, in batches. A run works on one of `copies` copies of its operands, and runs walk around
   * them, so that no cache holds what a run reads.
   * @param record records one run on copy `copy`: dispatches alone, since a copy would split the pass that is timed.
   */
  async measure(
    gpu: Gpu,
    label: string,
    copies: number,
    record: (program: Program, copy: number) => void,
    effort: Effort,
  ): Promise<Timing> {
    let next = 0;
    return await this.measureBatches(async (size) => {
      const program = gpu.program(label);
      try {
        for (let i = 0; i < size; i++) record(program, next++ % copies);
        return await this.time(passOf(program, await program.steps()));
      } finally {
        program.dispose();
      }
    }, effort);
  }

  /** @param time milliseconds of so many runs one after another. */
  async measureBatches(time: (runs: number) => Promise<number>, effort: Effort): Promise<Timing> {
    const timeBatch = async (size: number): Promise<number> => (await time(size)) / size;
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

function passOf({ label }: Program, steps: Awaited<ReturnType<Program["steps"]>>): EncodePass {
  return (pass) => {
    for (const step of steps) {
      if (step.kind === "copy") throw new Error(`${label}: a copy would split the pass that is timed`);
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, step.bindGroup);
      pass.dispatchWorkgroups(...step.workgroups);
    }
  };
}

/** Milliseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const mostInBatch = 500;
