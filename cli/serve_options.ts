import { stat } from "node:fs/promises";
import { isIP } from "node:net";
import path from "node:path";
import type { BarkFromPretrainedOptions } from "../bark/load/load_options.ts";
import { defined } from "../engine/check/defined.ts";
import { EngineError } from "../engine/errors.ts";
import type { ServerOptions } from "../server/index.ts";
import { choiceFlag, numberFlag, pairsFlag, parseCommandLine, requirePositionals } from "./command_line.ts";
import { defaultModel } from "./files/model_location.ts";

const flags = {
  model: { type: "string", short: "m" },
  port: { type: "string", short: "p" },
  host: { type: "string" },
  "api-key": { type: "string" },
  "no-auth": { type: "boolean" },
  "allow-host": { type: "string" },
  cors: { type: "string" },
  alias: { type: "string" },
  "voices-map": { type: "string" },
  "public-voices": { type: "boolean" },
  "allow-uploads": { type: "boolean" },
  "max-input": { type: "string" },
  "queue-size": { type: "string" },
  "max-wait": { type: "string" },
  batch: { type: "string" },
  drain: { type: "string" },
  queue: { type: "string" },
  store: { type: "string" },
  "farm-from": { type: "string" },
  web: { type: "string" },
  dtype: { type: "string" },
  device: { type: "string" },
  "low-memory": { type: "boolean" },
  quiet: { type: "boolean" },
} as const;

/** Voices that may be uploaded, where that is allowed: 100 KB each, mostly. */
const mostUploads = 100;

/** Where a farm is, and what is spoken there. */
export interface FarmAddress {
  /** Address of the Redis. */
  readonly queue: string;
  /** A folder, or `s3://BUCKET/PREFIX`. */
  readonly store: string;
  /** Characters of the shortest text. Undefined: the server's default. */
  readonly from: number | undefined;
}

/** What `bark serve` was asked for, checked as far as that goes without a checkpoint. */
export interface ServeOptions {
  readonly model: string;
  readonly port: number;
  readonly host: string;
  readonly server: ServerOptions;
  /** A farm that speaks long texts, if one does. */
  readonly farm: FarmAddress | undefined;
  /** Seconds that requests have to end in. */
  readonly drain: number;
  readonly load: Pick<BarkFromPretrainedOptions, "dtype" | "device" | "low_memory">;
  readonly quiet: boolean;
}

/** @throws EngineError `usage` for a wrong flag or value, a server open to all, or a page that is not there. */
export async function parseServe(args: readonly string[]): Promise<ServeOptions> {
  const { values, positionals } = parseCommandLine("serve", args, flags);
  requirePositionals("serve", positionals, 0, 0);
  const model = values.model ?? defaultModel;
  const host = values.host ?? "127.0.0.1";
  const keys = keysOf(values["api-key"], values["no-auth"] === true);
  if (!isLoopback(host) && keys.length === 0 && values["no-auth"] !== true)
    throw new EngineError("usage", "others reach the server there, and nobody is asked for a key", {
      where: `--host ${host}`,
      fix: "set BARK_API_KEY, or give --no-auth if all of them may use it",
    });
  const count = (
    flag: "farm-from" | "max-input" | "queue-size" | "batch" | "max-wait" | "drain",
    most: number,
    least = 1,
  ) =>
    numberFlag(
      flag,
      values[flag],
      (n) => Number.isSafeInteger(n) && n >= least && n <= most,
      `an integer from ${least} to ${most}`,
    );
  const dtype = choiceFlag("dtype", values.dtype, ["f32", "f16", "q8"]);
  return {
    ...{ model, host, quiet: values.quiet === true },
    port: numberFlag("port", values.port, (n) => Number.isInteger(n) && n >= 0 && n < 65_536, "0 to 65535") ?? 8880,
    farm: farmOf(values, count("farm-from", 10_000_000)),
    drain: count("drain", 86_400, 0) ?? 30,
    load: { ...defined({ dtype, device: values.device }), low_memory: values["low-memory"] === true },
    server: defined({
      // Of a path, what others may know.
      model: path.basename(model) === model || /^[\w.-]+\/[\w.-]+$/.test(model) ? model : path.basename(model),
      api_keys: keys,
      allowed_hosts: hostsOf(host, values["allow-host"]),
      cors: list("cors", values.cors, isOrigin, "origins such as https://example.com, or *"),
      aliases: list("alias", values.alias, () => true, "names"),
      voices_map: pairsFlag("voices-map", values["voices-map"]),
      public_voices: values["public-voices"] === true,
      uploads: values["allow-uploads"] === true ? mostUploads : 0,
      max_input: count("max-input", 10_000_000),
      queue_size: count("queue-size", 100_000),
      max_wait: count("max-wait", 604_800),
      batch: count("batch", 64),
      web: await pageOf(values.web),
    }),
  };
}

/** Of the flag, which others see in the list of processes, or of the environment. Several are separated by commas. */
function keysOf(flag: string | undefined, isOpen: boolean): string[] {
  const given = flag ?? process.env["BARK_API_KEY"];
  if (given === undefined || given === "") return [];
  if (isOpen && flag === undefined) return [];
  if (isOpen)
    throw new EngineError("usage", "asks nobody for a key", { where: "--no-auth", fix: "leave out it or --api-key" });
  const keys = given.split(",").map((key) => key.trim());
  if (keys.every((key) => /^[!-~]+$/.test(key))) return keys;
  throw new EngineError("usage", "a key is of letters, digits and signs, without spaces", {
    where: flag === undefined ? "BARK_API_KEY" : "--api-key",
  });
}

/** @throws EngineError `usage` for a part of a farm. */
function farmOf(
  { queue, store }: { queue?: string | undefined; store?: string | undefined },
  from: number | undefined,
): FarmAddress | undefined {
  if (queue !== undefined && store !== undefined) return { queue, store, from };
  const given = queue !== undefined ? "queue" : store !== undefined ? "store" : from && "farm-from";
  if (given === undefined) return undefined;
  const missing = queue === undefined ? "--queue" : "--store";
  throw new EngineError("usage", `is of a farm that speaks long texts, which needs ${missing}`, {
    where: `--${given}`,
    fix: `give ${missing}, too, or leave it out`,
  });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** The names of this machine and those of the flag; null where all are allowed, since the server is open to others anyway. */
function hostsOf(host: string, flag: string | undefined): readonly string[] | null {
  if (!isLoopback(host)) return flag === undefined ? null : flag.split(",").map((name) => name.trim());
  const own = ["localhost", "127.0.0.1", "[::1]", host];
  return [...own, ...(flag?.split(",").map((name) => name.trim()) ?? [])];
}

function isOrigin(text: string): boolean {
  return text === "*" || (URL.canParse(text) && new URL(text).origin === text);
}

function list(
  flag: string,
  text: string | undefined,
  isGood: (item: string) => boolean,
  expected: string,
): string[] | undefined {
  const items = text?.split(",").map((item) => item.trim());
  if (items === undefined || items.every((item) => item !== "" && isGood(item))) return items;
  throw new EngineError("usage", "wrong value", { where: `--${flag}`, expected, actual: text });
}

async function pageOf(folder: string | undefined): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  const index = await stat(path.join(folder, "index.html")).catch(() => undefined);
  if (index?.isFile() === true) return path.resolve(folder);
  throw new EngineError("usage", "holds no index.html", {
    where: `--web ${folder}`,
    fix: "`npm run build:web` in a clone makes such a folder",
  });
}
