import type { TimedDevice } from "../measure/stopwatch.ts";
import type { Operation } from "./cases/operation.ts";

/** Another engine, whose kernels are rungs of the ladder. */
export interface PeerEngine extends TimedDevice {
  readonly name: string;
  /**
   * Lets the engine do an operation and keeps the dispatches that it made.
   * @param copies of the weights, for runs to walk around. @param onCopy is called before each.
   * @throws Error for what it cannot do: a line for people.
   */
  record(operation: Operation, copies: number, onCopy?: () => void): Promise<PeerWork>;
}

/** What an engine dispatched for an operation. */
export interface PeerWork {
  /** Of an operation in several parts: what was dispatched, for the name of the rung. */
  readonly parts?: string | undefined;
  readonly copies: number;
  /** Of one run. */
  readonly dispatches: number;
  /** What a run leaves out: a line for people. */
  readonly notice?: string;
  /** Dispatches one run again. */
  encode(pass: GPUComputePassEncoder, copy: number): void;
  /** What a run on copy 0 computes, laid out as {@link Operation} says. */
  result(): Promise<Float32Array>;
  dispose(): Promise<void>;
}
