import { cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { bundleForPages } from "../../../tools/build/bundle.ts";
import { buildSite } from "../../../tools/build/site.ts";
import { Memo } from "../../../engine/memo.ts";
import { serve } from "../loopback.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
};

/** What a strict page allows. The element, its worker and its AudioWorklet are files of the site. */
export const strictPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

export interface Site {
  readonly url: string;
  /** Adds a page, with a policy. @returns its address. */
  page(name: string, body: string, policy?: string): Promise<string>;
  /** Copies a file or folder of examples/ to its root, as if it were the project of somebody who installed the package. */
  example(name: string): Promise<void>;
  /** A name for what is already there; "": all of it. */
  link(name: string, target: string): Promise<void>;
  /** Lets the answer for a page of an example carry a policy. @returns its address. */
  guarded(name: string, policy: string): string;
  close(): Promise<void>;
}

/** Folders that are built once for all specs of this process, and go with it. */
const built = new Memo<string, string>();

async function builtOnce(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  return await built.get(name, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), `bark-${name}-`));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    await build(folder);
    return folder;
  });
}

/** The site as `npm run build:web` makes it. Whoever changes a file copies the folder. */
export async function builtSite(): Promise<string> {
  return await builtOnce("site", (folder) => buildSite(root, folder));
}

/** A static site with the bundles for pages, and the checkpoint nano in a folder. */
export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(path.join(tmpdir(), "bark-pages-"));
  await cp(await builtOnce("bundles", (bundles) => bundleForPages(root, bundles)), folder, { recursive: true });
  await cp(path.join(root, "models/nano"), path.join(folder, "nano"), { recursive: true });
  const link = (name: string, target: string) => symlink(path.join(folder, target), path.join(folder, name));
  await mkdir(path.join(folder, "node_modules/bark-webgpu/dist"), { recursive: true });
  await link("node_modules/bark-webgpu/dist/web", "");
  await link("node_modules/bark-webgpu-nano", "nano");
  const policies = new Map<string, string>();
  const answer = async (url: string, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(url, "http://localhost");
    const file = path.join(folder, decodeURIComponent(pathname));
    if (!(await stat(file).catch(() => undefined))?.isFile()) return void response.writeHead(404).end();
    const policy = policies.get(pathname);
    if (policy !== undefined) response.setHeader("Content-Security-Policy", policy);
    response.setHeader("Content-Type", types[path.extname(file)] ?? "application/octet-stream");
    // Pages of another origin may take the element from here, as from a CDN.
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.end(await readFile(file));
  };
  const server = await serve(({ url = "/" }, response) => void answer(url, response));
  return {
    url: server.url,
    page: async (name, body, policy) => {
      await writeFile(path.join(folder, name), `<!doctype html><html lang="en"><title>${name}</title>${body}</html>`);
      if (policy !== undefined) policies.set(`/${name}`, policy);
      return `${server.url}/${name}`;
    },
    example: (name) => cp(path.join(root, "examples", name), path.join(folder, name), { recursive: true }),
    link,
    guarded: (name, policy) => {
      policies.set(`/${name}`, policy);
      return `${server.url}/${name}`;
    },
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
