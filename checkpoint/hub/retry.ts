import { EngineError } from "../../engine/errors.ts";
import { onAbort } from "./abort.ts";

/** A fault that may pass: a busy server, a connection that broke. */
export class TransientFault extends Error {
  /** The error if no later try succeeds. */
  readonly error: EngineError;
  /** How long the server asks to wait, in milliseconds. */
  readonly wait: number | undefined;
  /** No connection to the server: final at the first request; within a download it may pass. */
  readonly isOffline: boolean;

  constructor(
    error: EngineError,
    { wait, isOffline = false }: { wait?: number | undefined; isOffline?: boolean } = {},
  ) {
    super(error.message);
    this.error = error;
    this.wait = wait;
    this.isOffline = isOffline;
  }
}

export interface RetryPolicy {
  /** Failed tries in a row before giving up. */
  tries: number;
  /** Milliseconds before the second try; doubled for each further one. */
  firstWait: number;
  /** Milliseconds without progress after which a connection counts as broken. Default: 30 s. */
  patience?: number;
}

export const defaultRetries: RetryPolicy = { tries: 6, firstWait: 500 };

const longestWait = 60_000;

/**
 * Repeats `work` after transient faults. `work` calls `progressed` when it got further, which resets the count of tries:
 * a download of hours may break often.
 * @throws EngineError of the last fault; `aborted`.
 */
export async function withRetries<T>(
  work: (progressed: () => void) => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
): Promise<T> {
  let failures = 0;
  for (;;) {
    checkAborted(signal);
    try {
      return await work(() => (failures = 0));
    } catch (fault) {
      if (!(fault instanceof TransientFault)) throw fault;
      if (++failures >= policy.tries) throw fault.error;
      // Random, so that clients that a server refused together do not come back together.
      const backOff = policy.firstWait * 2 ** (failures - 1) * (1 + Math.random() / 2);
      await pause(Math.min(fault.wait ?? backOff, longestWait), signal);
    }
  }
}

/** Waits; an abort ends it early, without an error. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, milliseconds);
    const forget = onAbort(signal, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** @throws EngineError `aborted` if the signal says so. */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new EngineError("aborted", "the download was stopped", { where: "hub", cause: signal.reason });
}
