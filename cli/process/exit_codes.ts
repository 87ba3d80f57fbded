import { EngineError, withoutSecrets, type ErrorCode } from "../../engine/errors.ts";
import { note } from "./print.ts";

/** What the process ends with; scripts rely on these numbers. */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  "bad-input": 3,
  limit: 4,
  "no-adapter": 4,
  aborted: 130,
  shape: 1,
  shader: 1,
  "device-lost": 1,
  io: 1,
  internal: 1,
};

/** Writes one line about the error to stderr (with `debug` also the stack) and gives the exit code. */
export function reportError(error: unknown, debug: boolean): number {
  const known = error instanceof EngineError;
  const message = error instanceof Error ? error.message : String(error);
  note(known ? message : `a fault of ours: ${withoutSecrets(message)}; \`--debug\` shows where, please report it`);
  if (debug)
    for (let cause = error; cause instanceof Error; cause = cause.cause)
      process.stderr.write(`${withoutSecrets(`${cause.stack}`)}\n`);
  return known ? exitCodes[error.code] : 1;
}
