import type * as BullMQ from "bullmq";
import type { Redis } from "ioredis";
import { EngineError, withoutSecrets } from "../../engine/errors.ts";
import type { OnNotice } from "../../engine/notice.ts";
import { fromPackage } from "./packages.ts";

/** A connection to Redis, and the queue's library. */
export interface Connection {
  readonly bullmq: typeof BullMQ;
  readonly redis: Redis;
  /** Its address without a password, for errors. */
  readonly where: string;
  /** What every queue is opened with. */
  readonly options: BullMQ.QueueOptions;
  close(): void;
}

/** BullMQ's scripts need it. */
const oldestRedis = 5;
/** Milliseconds: who waits for a server that does not answer sees nothing. */
const patience = 10_000;

/**
 * Connects to Redis. Once connected, a lost server is waited for, with a notice.
 * @param url `redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]`, or `rediss://` over TLS; without a password: `BARK_QUEUE_PASSWORD`.
 * @throws EngineError `usage` for a wrong address or password, an old Redis, or without the packages; `io` if nobody answers.
 */
export async function connect(url: string, notice: OnNotice): Promise<Connection> {
  const where = addressOf(url);
  const { Redis } = await fromPackage("ioredis", () => import("ioredis"));
  const bullmq = await fromPackage("bullmq", () => import("bullmq"));
  let isOpen = false;
  // Everybody on a machine may read the arguments of its processes.
  const password = new URL(url).password === "" ? process.env["BARK_QUEUE_PASSWORD"] : undefined;
  const redis = new Redis(url, {
    ...(password ? { password } : {}),
    lazyConnect: true,
    connectTimeout: patience,
    maxRetriesPerRequest: null,
    // The first time a server that is not there is an error; later it is being restarted.
    retryStrategy: (times) => (isOpen ? Math.min(200 * times, 2000) : null),
  });
  let last: Error | undefined;
  redis.on("error", (error) => (last = error));
  // Something else may listen there, and answer nothing.
  const timer = setTimeout(() => redis.disconnect(), patience);
  try {
    await redis.connect();
    await checkServer(redis, where, notice);
  } catch (error) {
    redis.disconnect();
    throw error instanceof EngineError ? error : queueError(last ?? error, where);
  } finally {
    clearTimeout(timer);
  }
  isOpen = true;
  let isGone = false;
  let isClosed = false;
  redis.on("close", () => {
    if (!isGone && !isClosed) notice(`${where} is gone; waiting for it`);
    isGone = true;
  });
  redis.on("ready", () => {
    if (isGone) notice(`${where} is back`);
    isGone = false;
  });
  const close = (): void => {
    isClosed = true;
    redis.disconnect();
  };
  // Without BullMQ's own check of the version, which writes to the console for each queue.
  return { bullmq, redis, where, options: { connection: redis, prefix: "bark", skipVersionCheck: true }, close };
}

/** What went wrong with Redis, in one line; another error as it is. */
export function queueError(error: unknown, where: string): Error {
  const { name, message, code = "" } = error as NodeJS.ErrnoException;
  const isOfRedis =
    /^(Reply|MaxRetriesPerRequest|Abort|Connection)/.test(name) || code !== "" || /onnection/.test(message);
  if (error instanceof EngineError || !isOfRedis) return error as Error;
  // A transaction fails by the first of its commands that did.
  const { previousErrors = [] } = error as { previousErrors?: readonly Error[] };
  const text = withoutSecrets([message || code, ...previousErrors.map((each) => each.message)].join("; "));
  const details = { where, cause: error };
  if (/\b(WRONGPASS|NOAUTH|NOPERM)\b|ERR AUTH|invalid password|invalid username/.test(text))
    return new EngineError("usage", "refuses the name or the password", {
      ...details,
      fix: "give them as redis://USER:PASSWORD@HOST, or set BARK_QUEUE_PASSWORD",
    });
  if (text.includes("OOM"))
    return new EngineError("io", "Redis is full", {
      ...details,
      fix: "give it more maxmemory; what was spoken is kept",
    });
  if (/READONLY/.test(text))
    return new EngineError("io", "is a replica, which cannot be written", { ...details, fix: "give its primary" });
  if (/MISCONF/.test(text))
    return new EngineError("io", "Redis cannot save its data", {
      ...details,
      fix: "look into its log and at its disk",
    });
  return new EngineError("io", `no Redis answers: ${text}`, { ...details, fix: "start it, or give another --queue" });
}

function addressOf(url: string): string {
  const expected = "redis://HOST:PORT";
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw new EngineError("usage", "is no address", { where: "--queue", expected, actual: url, cause });
  }
  if (!["redis:", "rediss:"].includes(parsed.protocol) || parsed.hostname === "")
    throw new EngineError("usage", "is no address of a Redis", { where: "--queue", expected, actual: url });
  return `${parsed.protocol}//${parsed.hostname}:${parsed.port || 6379}`;
}

async function checkServer(redis: Redis, where: string, notice: OnNotice): Promise<void> {
  const info = await redis.info();
  const [, version] = /^(?:redis|valkey)_version:(\S+)/m.exec(info) ?? [];
  if (version !== undefined && Number.parseInt(version) < oldestRedis)
    throw new EngineError("usage", "is too old a Redis", {
      where,
      expected: `${oldestRedis} or later`,
      actual: version,
      fix: "6.2 or later is better",
    });
  const [, policy = "noeviction"] = /^maxmemory_policy:(\S+)/m.exec(info) ?? [];
  if (policy !== "noeviction")
    notice(`${where} forgets pieces when it is full (maxmemory-policy ${policy}): set it to noeviction`);
}
