import { EngineError } from "../engine/errors.ts";
import { text } from "./text.ts";

/** What stands in the way of speech that shows before an adapter is asked for; undefined: nothing. */
export function obstacleInSight(): string | undefined {
  if (!globalThis.isSecureContext) return text.insecure(globalThis.location.origin);
  if ((navigator.gpu as GPU | undefined) === undefined) return text.noWebGpu;
  return undefined;
}

/** What a person is told of an error. */
export function explained(error: unknown): string {
  const obstacle = obstacleInSight();
  if (obstacle !== undefined) return obstacle;
  if (!(error instanceof EngineError)) return String(error);
  if (error.code === "no-adapter") return text.noAdapter;
  if (error.code === "limit") return text.adapterTooSmall(error.message);
  return error.message;
}
