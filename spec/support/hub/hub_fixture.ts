import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { ByteSource } from "../../../checkpoint/sources/byte_source.ts";
import { parseRepository } from "../../../checkpoint/hub/repository.ts";
import { DiskHubStore, type CachedHubOptions } from "../../../checkpoint/node/hub/disk_hub_store.ts";
import { firstCommit, serveHub, type LoopbackHub } from "./hub_server.ts";

export const id = "someone/bark";
export const config = new TextEncoder().encode('{"model_type": "bark"}');
/** More than a connection's buffers hold, so that a body can break off in its middle. */
export const weights = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7919 + (i >> 8)) % 251);

/** A hub with one small repository, and an empty cache. */
export interface HubFixture {
  hub: LoopbackHub;
  cacheDir: string;
  /** The repository's folder in the cache. */
  inCache: (...parts: string[]) => string;
  /** A new store, as a new process would open it. Waits are short. */
  open(options?: Partial<CachedHubOptions>, name?: string): DiskHubStore;
  /** Requests that were made, such as `GET hub main/config.json`. */
  asked(): string[];
  close(): Promise<void>;
}

export async function hubFixture(): Promise<HubFixture> {
  const commits = { [firstCommit]: { "config.json": config, "model.safetensors": weights } };
  const hub = await serveHub({ [id]: { commits, refs: { main: firstCommit } } });
  const cacheDir = await mkdtemp(path.join(tmpdir(), "bark-hub-"));
  return {
    hub,
    cacheDir,
    inCache: (...parts) => path.join(cacheDir, "models--someone--bark", ...parts),
    open: (options = {}, name = id) => {
      const settings = { cacheDir, endpoint: hub.url, retries: { tries: 3, firstWait: 1 }, ...options };
      return new DiskHubStore(parseRepository(name, settings)!, settings);
    },
    asked: () =>
      hub.asked.map(({ method, server, url, range }) => {
        const what = server === "storage" ? "weights" : url.replace(`/${id}/resolve/`, "");
        return [method, server, what, ...(range === undefined ? [] : [range])].join(" ");
      }),
    close: async () => {
      await hub.close();
      await rm(cacheDir, { recursive: true });
    },
  };
}

export async function contentOf(source: ByteSource | undefined): Promise<Uint8Array | undefined> {
  if (source === undefined) return undefined;
  try {
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

/** Fetches a file in a process of its own: ENDPOINT CACHE ID FILE. */
export function fetchInProcess(args: readonly string[]): ChildProcess {
  const script = fileURLToPath(new URL("./hub_fetch.ts", import.meta.url));
  return spawn(process.execPath, ["--import", import.meta.resolve("tsx"), script, ...args], { stdio: "inherit" });
}

/** Exit code or signal of a process. */
export async function ended(child: ChildProcess): Promise<number | string | null> {
  return await new Promise((resolve) => child.on("close", (code, signal) => resolve(signal ?? code)));
}
