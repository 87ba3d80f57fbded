import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import type { ServerSettings } from "../options.ts";
import { addressOf, type AppEnv } from "./environment.ts";
import { ApiError } from "./errors.ts";

/**
 * Refuses requests for another host: a page of a stranger can give its own name the address of this machine, and would then
 * be of the same origin.
 */
export function hostGuard({ allowed_hosts }: Pick<ServerSettings, "allowed_hosts">): MiddlewareHandler<AppEnv> {
  const allowed = allowed_hosts?.map((name) => name.toLowerCase());
  return async (c, next) => {
    const host = new URL(c.req.url).hostname.toLowerCase();
    if (allowed !== undefined && !allowed.includes(host))
      throw new ApiError(403, "The server is not asked for by this name; start it with --allow-host for it.", {
        code: "host_not_allowed",
      });
    await next();
  };
}

/** Refuses what pages of other origins send: a form needs no permission to be sent anywhere. */
export function originGuard({ cors }: Pick<ServerSettings, "cors">): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const origin = c.req.header("origin");
    const isOwn = origin === undefined || hostOf(origin) === (c.req.header("host") ?? new URL(c.req.url).host);
    if (!isOwn && !cors.includes(origin) && !cors.includes("*"))
      throw new ApiError(403, "Pages of this origin may not use the server; start it with --cors for it.", {
        code: "origin_not_allowed",
      });
    await next();
  };
}

/** Of `https://host:port`; behind a proxy the scheme is another one. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Names the client, and refuses one without a right key, if there are keys. */
export function keyGuard(
  { api_keys }: Pick<ServerSettings, "api_keys">,
  isOpen: (path: string) => boolean,
): MiddlewareHandler<AppEnv> {
  // Hashes are of one length, and are compared in a time that does not tell how much of them is right.
  const hashes = api_keys.map(hashOf);
  return async (c, next) => {
    const address = addressOf(c);
    c.set("client", address);
    if (hashes.length > 0 && !isOpen(c.req.path)) {
      const key = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1];
      const given = hashOf(key ?? "");
      const found = hashes.map((hash) => timingSafeEqual(hash, given)).indexOf(true);
      if (key === undefined || found < 0)
        throw new ApiError(401, key === undefined ? "Send a key: Authorization: Bearer KEY." : "The key is wrong.", {
          code: "invalid_api_key",
          headers: { "WWW-Authenticate": "Bearer" },
        });
      c.set("client", `${found} ${address}`);
    }
    await next();
  };
}

function hashOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
