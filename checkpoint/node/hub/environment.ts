import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { HubOptions } from "../../hub/options.ts";
import { cleanToken } from "../../hub/token.ts";
import { proxyAdvice } from "../proxy_advice.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The hub's settings from the environment, by the names and rules of Python's huggingface_hub; `options` win.
 * HF_HUB_OFFLINE, HF_HUB_CACHE (HUGGINGFACE_HUB_CACHE), HF_HOME, XDG_CACHE_HOME, HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH.
 * @throws EngineError `usage` for an invalid token.
 */
export function withEnvironment(
  options: HubOptions,
  env: Environment = process.env,
): HubOptions & { cacheDir: string } {
  const set = (name: string): string | undefined => env[name] || undefined;
  const home = expand(set("HF_HOME") ?? path.join(set("XDG_CACHE_HOME") ?? "~/.cache", "huggingface"));
  const cacheDir = options.cacheDir ?? set("HF_HUB_CACHE") ?? set("HUGGINGFACE_HUB_CACHE") ?? path.join(home, "hub");
  const isOffline = isTrue(set("HF_HUB_OFFLINE") ?? set("TRANSFORMERS_OFFLINE"));
  const tokenFile = expand(set("HF_TOKEN_PATH") ?? path.join(home, "token"));
  return {
    ...options,
    cacheDir: path.resolve(expand(cacheDir)),
    localFilesOnly: options.localFilesOnly ?? isOffline,
    endpoint: options.endpoint ?? set("HF_ENDPOINT"),
    token: options.token === false ? false : findToken(options.token, tokenFile, env),
    adviseOffline: (url) => proxyAdvice(url, env),
  };
}

function findToken(given: string | undefined, file: string, env: Environment): string | undefined {
  const inEnvironment = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] as const;
  return (
    cleanToken(given, "token") ??
    inEnvironment.map((name) => cleanToken(env[name], name)).find((token) => token !== undefined) ??
    cleanToken(readToken(file), file)
  );
}

function isTrue(value: string | undefined): boolean {
  return ["1", "ON", "YES", "TRUE"].includes((value ?? "").toUpperCase());
}

function expand(folder: string): string {
  return folder.replace(/^~(?=$|[/\\])/, () => homedir());
}

/** The token that `hf auth login` wrote. */
function readToken(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
