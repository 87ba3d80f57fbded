import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** A repository that a loopback hub serves. */
export interface ServedRepository {
  /** Files of each commit. */
  commits: Record<string, Record<string, Uint8Array>>;
  /** Commit of each branch and tag. */
  refs: Record<string, string>;
  /** Files that lie on the storage server, as large ones do. Default: `.safetensors` and `.bin`. */
  isLarge?: (path: string) => boolean;
  /** Opened by this token alone. */
  token?: string;
}

export interface Asked {
  server: "hub" | "storage";
  method: string;
  url: string;
  range: string | undefined;
  authorization: string | undefined;
}

/** May answer in place of the server; says whether it did. */
export type Intercept = (request: IncomingMessage, response: ServerResponse, server: Asked["server"]) => boolean;

export interface LoopbackHub {
  url: string;
  repositories: Map<string, ServedRepository>;
  /** Every request so far. */
  asked: Asked[];
  intercept: Intercept | undefined;
  uploads: Uploads;
  close(): Promise<void>;
}

/** What a loopback hub knows of pushes. */
export interface Uploads {
  /** Names of users, by their token with the right to write. Others are refused. */
  writers: Record<string, string>;
  /** Content of large files that have arrived, by sha256. */
  stored: Map<string, Uint8Array>;
  /** Every commit: its branch or pull request, title, description, and the paths that it adds. */
  commits: { repo: string; revision: string; title: string; description: string; paths: string[] }[];
  /** Repositories that were made: visibility by name. */
  made: Record<string, string>;
}

export const noUploads = (): Uploads => ({ writers: {}, stored: new Map(), commits: [], made: {} });

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
