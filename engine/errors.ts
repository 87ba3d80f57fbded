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
  /** What is wrong, without the place and the advice. `message` is the whole line, because consoles show nothing else. */
  readonly problem: string;
  readonly where: string | undefined;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly fix: string | undefined;

  constructor(code: ErrorCode, problem: string, details: ErrorDetails = {}) {
    super(lineOf(problem, details), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "EngineError";
    this.code = code;
    this.problem = withoutSecrets(problem);
    this.where = details.where === undefined ? undefined : withoutSecrets(details.where);
    this.expected = typeof details.expected === "string" ? withoutSecrets(details.expected) : details.expected;
    this.actual = typeof details.actual === "string" ? withoutSecrets(details.actual) : details.actual;
    this.fix = details.fix === undefined ? undefined : withoutSecrets(details.fix);
  }

  /** The whole error on one line: `where: problem (expected …, got …); fix`. */
  toLine(): string {
    return this.message;
  }
}

function lineOf(problem: string, details: ErrorDetails): string {
  const where = details.where === undefined ? "" : `${details.where}: `;
  const expected = details.expected === undefined ? "" : `expected ${show(details.expected)}, `;
  const found = expected === "" && details.actual === undefined ? "" : ` (${expected}got ${show(details.actual)})`;
  const fix = details.fix === undefined ? "" : `; ${details.fix}`;
  return printable(withoutSecrets(`${where}${problem}${found}${fix}`));
}

/** The text as one line without control characters: a damaged file may hold line breaks and escape sequences. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\p{Bidi_Control}][\s\p{Cc}]*/gu, " ");
}

/** Text without the passwords of URLs, the signatures in their queries, and access tokens of the hub. */
export function withoutSecrets(text: string): string {
  return (
    text
      .replaceAll(/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^/?#\s]{0,500}@/gi, "$1***@")
      // A password with an unescaped "/" or "#" makes the address invalid, and the error about it shows the address.
      .replaceAll(/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^/?#\s:@]{1,100}:(?!\d*(?:[/?#]|$))\S{1,500}@/gi, "$1***@")
      .replaceAll(
        /([?&#][\w.-]{0,40}(?:token|key|secret|signature|credential|pass|pwd|auth|jwt|policy|sig)[\w.-]{0,40}=)[^&#\s"]+/gi,
        "$1***",
      )
      .replaceAll(/\bhf_\w{6,}/g, "hf_***")
      .replaceAll(/\b(Bearer\s+)[^\s"',;]+/gi, "$1***")
  );
}

const maxShown = 1000;

function show(value: unknown): string {
  const text = typeof value === "string" ? value : toText(value);
  return text.length <= maxShown ? text : `${text.slice(0, maxShown)}…`;
}

function toText(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "bigint") return `${value}n`;
  // JSON cannot hold NaN, infinities, functions and symbols.
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  try {
    return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? `${item}n` : item)) ?? "nothing";
  } catch {
    return "a value that cannot be shown";
  }
}
