import { serveStatic } from "@hono/node-server/serve-static";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./environment.ts";

/**
 * The files of a folder. The pages hold their own policy (no inline code, no other hosts than the hub's); frames are the one
 * thing that only a header can refuse.
 */
export function webPage(folder: string): MiddlewareHandler<AppEnv> {
  const files = serveStatic<AppEnv>({ root: folder });
  return async (c, next) => {
    c.header("Content-Security-Policy", "frame-ancestors 'none'");
    c.header("Cache-Control", "no-cache");
    return await files(c, next);
  };
}
