import type { Context } from "hono";
import type { IncomingMessage, ServerResponse } from "node:http";

/** What a runtime gives beside a request: Node its two objects, Deno the address. */
interface Bindings {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
  readonly remoteAddr?: { readonly hostname?: string };
}

interface Variables {
  /** Of `x-request-id`. */
  requestId: string;
  /** Whose turn a request takes: the key and the address. */
  client: string;
  /** Where it goes, without names: `/v1/models/:id`. */
  route: string;
  /** When it came. */
  began: number;
  /** The answer is a stream, which says itself how it ended. */
  isStream: boolean;
}

export interface AppEnv {
  Bindings: Bindings;
  Variables: Variables;
}

export type AppContext = Context<AppEnv>;

/** Where the client is; the same for all where the runtime does not tell. */
export function addressOf(c: AppContext): string {
  // Tests and some runtimes call the app without bindings.
  const bindings = c.env as Bindings | undefined;
  return bindings?.incoming?.socket.remoteAddress ?? bindings?.remoteAddr?.hostname ?? "";
}

/** Ends the connection in the middle of an answer, so that no client takes what it has for all. @returns whether it could. */
export function breakOff(c: AppContext): boolean {
  const outgoing = (c.env as Bindings | undefined)?.outgoing;
  outgoing?.destroy();
  return outgoing !== undefined;
}
