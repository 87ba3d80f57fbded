import { EngineError } from "../../engine/errors.ts";

/** The EngineError that a call throws or its promise rejects with; anything else fails the test. */
export async function engineErrorOf(call: () => unknown): Promise<EngineError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("expected an EngineError, but nothing was thrown");
}
