import type { PeerEngine, PeerWork } from "../../kernels/peer.ts";
import type { Operation } from "../../kernels/cases/operation.ts";
import { replay, type CapturingDevice, type Captured } from "./capture.ts";

/** An operation that an engine is ready to do. */
export interface PreparedOperation {
  /** Does it once; what it resolves to reads the result, laid out as {@link Operation} says. */
  readonly run: () => Promise<() => Promise<Float32Array>>;
  /** Frees operands and results. */
  readonly dispose: () => void | Promise<void>;
}

/** Each is an operation of the engine's own; of Bark's matrices no cache holds that many. */
const mostCopies = 32;

/** What the dispatches of an operation in several parts do. */
export function partsOf(operation: Operation, dispatches: number): string | undefined {
  if (operation.kind !== "embedding") return undefined;
  const gathers = operation.tables.length + 1;
  return dispatches > gathers ? `${gathers} gather + ${dispatches - gathers} add` : `${dispatches} dispatched`;
}

/** A peer whose dispatches a {@link CapturingDevice} keeps. */
export class RecordedPeer implements PeerEngine {
  readonly name: string;
  readonly device: GPUDevice;
  readonly features: ReadonlySet<string>;
  readonly #capturing: CapturingDevice;
  readonly #prepare: (operation: Operation) => Promise<PreparedOperation>;

  constructor(name: string, capturing: CapturingDevice, prepare: (operation: Operation) => Promise<PreparedOperation>) {
    this.name = name;
    this.device = capturing.device;
    this.features = capturing.features;
    this.#capturing = capturing;
    this.#prepare = prepare;
  }

  async record(operation: Operation, wanted: number, onCopy?: () => void): Promise<PeerWork> {
    const copies = Math.min(wanted, mostCopies);
    const prepared: PreparedOperation[] = [];
    const runs: { read: () => Promise<Float32Array>; captured: Captured }[] = [];
    const capturing = this.#capturing;
    const dispose = async (): Promise<void> => {
      for (const { dispose } of prepared) await dispose();
      await capturing.idle();
      capturing.release();
    };
    try {
      for (let copy = 0; copy < copies; copy++) {
        onCopy?.();
        const one = await this.#prepare(operation);
        prepared.push(one);
        // The first run compiles, and may bring weights in another order.
        await one.run();
        const [read, captured] = await capturing.capture(one.run);
        await capturing.idle();
        runs.push({ read, captured });
      }
      const [{ read, captured }] = runs;
      if (captured.dispatches.length === 0) throw new Error("it computed nothing on the GPU");
      // The result is read behind a replay: a buffer that meanwhile serves for something else would show in it.
      const result = async (): Promise<Float32Array> => {
        const encoder = this.device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        replay(pass, captured);
        pass.end();
        this.device.queue.submit([encoder.finish()]);
        await capturing.idle();
        capturing.check();
        return await read();
      };
      return {
        parts: partsOf(operation, captured.dispatches.length),
        copies,
        dispatches: captured.dispatches.length,
        ...(captured.copies === 0 ? {} : { notice: `without its ${captured.copies} copies between buffers` }),
        encode: (pass, copy) => replay(pass, runs[copy].captured),
        result,
        dispose,
      };
    } catch (error) {
      await dispose();
      throw error;
    }
  }

  async idle(): Promise<void> {
    await this.#capturing.idle();
  }

  check(): void {
    this.#capturing.check();
  }
}
