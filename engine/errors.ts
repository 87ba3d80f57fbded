/** What kind of fault an {@link EngineError} reports. The command maps it to an exit code. */
export type ErrorCode =
  /** The caller passed a wrong argument (exit 2). */
  | "usage"
  /** A file or checkpoint is missing, malformed or does not fit its config (exit 3). */
  | "bad-input"
  /** A tensor's shape, dtype or size is not what the operation needs (exit 1 unless it came from a file). */
  | "shape"
  /** The adapter lacks a limit or feature that is needed (exit 4). */
  | "limit"
  /** No usable WebGPU adapter (exit 4). */
  | "no-adapter"
  /** A shader did not compile, or its declaration and its text disagree (exit 1). */
  | "shader"
  /** The device was lost (exit 1). */
  | "device-lost"
  /** The caller's AbortSignal fired (exit 130). */
  | "aborted"
  /** The machine failed: disk full, no permission (exit 1). */
  | "io"
  /** A fault of ours (exit 1). */
  | "internal";

export interface ErrorDetails {
  /** File, tensor, binding or argument at fault. */
  where?: string;
  expected?: unknown;
  actual?: unknown;
  /** What the reader can do about it. */
  fix?: string;
  cause?: unknown;
}

/** The one error class of the project: what is wrong, where, what was expected, what to do. */
export class EngineError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly fix: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "EngineError";
    this.code = code;
    this.where = details.where;
    this.expected = details.expected;
    this.actual = details.actual;
    this.fix = details.fix;
  }

  /** The whole error on one line: `where: message (expected …, got …); fix`. */
  toLine(): string {
    const where = this.where === undefined ? "" : `${this.where}: `;
    const expected = this.expected === undefined ? "" : `expected ${show(this.expected)}, `;
    const found = expected === "" && this.actual === undefined ? "" : ` (${expected}got ${show(this.actual)})`;
    const fix = this.fix === undefined ? "" : `; ${this.fix}`;
    // Text of a damaged file must neither break the line nor steer the terminal.
    return `${where}${this.message}${found}${fix}`.replaceAll(/[\p{Cc}\u2028\u2029][\s\p{Cc}]*/gu, " ");
  }
}

const maxShown = 1000;

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "string" ? value : toJson(value);
  return text.length <= maxShown ? text : `${text.slice(0, maxShown)}…`;
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "a value nested too deep to show";
  }
}
