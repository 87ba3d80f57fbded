import { optionalPackage } from "../audio/encode/stream.ts";

/** What the server stands on; the library does without. */
const packages = ["hono", "@hono/node-server", "@hono/zod-openapi", "zod", "prom-client", "pino"] as const;

/** Looks for the packages first, one by one. @throws EngineError `io` naming the one that is missing. */
export async function requirePackages(): Promise<void> {
  for (const name of packages) await optionalPackage(name, "the server", async () => (await import(name)) as unknown);
}
