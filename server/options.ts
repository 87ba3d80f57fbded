import type { LongTexts } from "./backend/routed_backend.ts";
import type { ServerLog } from "./log.ts";

/** How a server serves. */
export interface ServerOptions {
  /** The checkpoint's name for clients. Default: `bark`. */
  model?: string;
  /** Other names of the model. Default: `tts-1`, `tts-1-hd`, `gpt-4o-mini-tts`. */
  aliases?: readonly string[];
  /** Other names of voices, and the presets that they are. OpenAI's names are presets in turn where it has none of them. */
  voices_map?: Readonly<Record<string, string>>;
  /** Keys of which a client has to send one (`Authorization: Bearer …`). Default: none, and nobody is asked. */
  api_keys?: readonly string[];
  /** Names by which the server is asked for; null: any. Default: those of this machine, against DNS rebinding. */
  allowed_hosts?: readonly string[] | null;
  /** Origins of pages that may use it. Default: none. */
  cors?: readonly string[];
  /** Lists voices without a key, since some clients send none then. Default false. */
  public_voices?: boolean;
  /** Voices that clients may upload, in all; they are kept in memory, for all clients. Default 0. */
  uploads?: number;
  /** Most characters of a text. Default 100,000. */
  max_input?: number;
  /** Most requests that wait or are spoken; above it they are answered 429. Default 256. */
  queue_size?: number;
  /** Seconds that a request may wait for its first sound. Default 270: fetch in Node waits for 300 s, many proxies for less. */
  max_wait?: number;
  /** Seconds after which a client is given up who takes nothing of his sound, or sends nothing of his request. Default 120. */
  client_timeout?: number;
  /** Most texts that are spoken in one run, of requests that wait. Default 4. */
  batch?: number;
  /** A farm that speaks long texts. Default: all are spoken here. */
  farm?: LongTexts;
  /** A folder with a page, such as `npm run build:web` makes, to be served under `/`. */
  web?: string;
  /** Takes what the server did; never texts or keys. Default: nobody. */
  log?: ServerLog;
}

/** Options with their defaults. */
export type ServerSettings = Required<Omit<ServerOptions, "web" | "farm">> & {
  readonly web: string | undefined;
  readonly farm: LongTexts | undefined;
};

export const loopbackHosts = ["localhost", "127.0.0.1", "[::1]"] as const;
