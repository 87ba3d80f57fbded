import {
  argumentsOf,
  nullOr,
  readBoolean,
  reader,
  readInteger,
  readNumber,
  readRecord,
  readString,
  type Reader,
  type ReadersOf,
} from "../engine/check/arguments.ts";
import type { LongTexts } from "./backend/routed_backend.ts";
import { noLog, type ServerLog } from "./log.ts";
import { loopbackHosts, type ServerOptions, type ServerSettings } from "./options.ts";

const isStrings = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "");
const readStrings: Reader<readonly string[]> = reader("a list of strings that are not empty", isStrings);
const readSeconds = readNumber("seconds above 0, at most a week", (value) => value > 0 && value <= 604_800);

const readFarm = reader<LongTexts>("{ farm, store, kind, from }, from being an integer of at least 1", (value) => {
  const { farm, store, kind, from = 1 } = value as Partial<LongTexts>;
  return [farm, store, kind].every((part) => typeof part === "object") && Number.isInteger(from) && from >= 1;
});

const readOptions = argumentsOf("createServer", {
  model: readString,
  aliases: readStrings,
  voices_map: readRecord(readString),
  api_keys: readStrings,
  allowed_hosts: nullOr(readStrings),
  cors: readStrings,
  public_voices: readBoolean,
  uploads: readInteger(0, 10_000),
  max_input: readInteger(1, 10_000_000),
  queue_size: readInteger(1, 100_000),
  max_wait: readSeconds,
  client_timeout: readSeconds,
  batch: readInteger(1, 64),
  farm: readFarm,
  web: readString,
  log: reader<ServerLog>("an object with info, warn and error", (value) => typeof value === "object" && value !== null),
} satisfies ReadersOf<ServerOptions>);

/** @throws EngineError `usage`. */
export function readServerOptions(given: ServerOptions): ServerSettings {
  const { web, farm, ...options } = readOptions(given);
  return {
    ...{ model: "bark", aliases: ["tts-1", "tts-1-hd", "gpt-4o-mini-tts"], voices_map: {}, api_keys: [], cors: [] },
    ...{ allowed_hosts: loopbackHosts, public_voices: false, uploads: 0, max_input: 100_000, queue_size: 256 },
    ...{ max_wait: 270, client_timeout: 120, batch: 4, log: noLog },
    ...options,
    ...{ web, farm },
  };
}
