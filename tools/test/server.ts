import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { transform } from "esbuild";
import { repositoryOf, serveHub } from "../../spec/support/hub/hub_server.ts";

export interface SpecPage {
  specs: string[];
  grep: string | undefined;
}

export interface Served {
  /** What the page at `/` runs; without, it is an empty one in which the package's names can be imported. */
  readonly page?: SpecPage;
  /** Folders outside the repository that are served, too: {@link RepositoryServer.addressOf}. */
  readonly folders?: readonly string[];
}

export interface RepositoryServer {
  url: string;
  /** Where a file of the repository, or of one of the further folders, is served. */
  addressOf(file: string): string;
  close(): Promise<void>;
}

const mimeTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".ts": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".wgsl": "text/plain; charset=utf-8",
};

/**
 * Serves the repository with types stripped file by file, nothing bundled, and at `/` a page; at `/hub-url` the address of a hub
 * with the embedded checkpoint.
 */
export async function serveRepository(root: string, served: Served = {}): Promise<RepositoryServer> {
  const hub = await serveHub({ "someone/nano": await repositoryOf(path.join(root, "models/nano")) });
  const server = http.createServer((request, response) => {
    if (request.url === "/hub-url") return void response.end(hub.url);
    respond(root, served, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  return {
    url,
    addressOf: (file) => {
      const isOurs = isInside(root, file);
      const { pathname } = pathToFileURL(isOurs ? file.slice(root.length) : file);
      return new URL(`${isOurs ? "" : outside}${pathname}`, url).href;
    },
    close: async () => {
      await hub.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** In front of the path of a file outside the repository. */
export const outside = "/outside";

function isInside(folder: string, file: string): boolean {
  return file.startsWith(folder + path.sep);
}

async function respond(root: string, served: Served, request: http.IncomingMessage, response: http.ServerResponse) {
  const url = decodeURIComponent((request.url ?? "/").split("?")[0]);
  if (url === "/") return response.setHeader("Content-Type", mimeTypes[".html"]).end(pageSource(served.page));
  const file = url.startsWith(`${outside}/`) ? path.normalize(url.slice(outside.length)) : path.join(root, url);
  const isServed = [root, ...(served.folders ?? [])].some((folder) => isInside(folder, file));
  const found = isServed ? await stat(file).catch(() => undefined) : undefined;
  if (!found?.isFile()) return response.writeHead(404).end();
  const type = mimeTypes[path.extname(file)] ?? "application/octet-stream";
  response.setHeader("Content-Type", type);
  if (file.endsWith(".ts")) return response.end(await stripTypes(file));
  sendRange(file, found.size, request, response);
}

async function stripTypes(file: string): Promise<string> {
  const source = await readFile(file, "utf8");
  return (await transform(source, { loader: "ts", format: "esm", target: "es2022", sourcemap: "inline" })).code;
}

// The engine reads checkpoints by range.
function sendRange(file: string, size: number, request: http.IncomingMessage, response: http.ServerResponse) {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const begin = range === null ? 0 : Number(range[1]);
  const end = Math.min(size, range === null || range[2] === "" ? size : Number(range[2]) + 1);
  response.setHeader("Accept-Ranges", "bytes");
  if (range !== null && begin >= end) return response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
  if (range !== null) response.setHeader("Content-Range", `bytes ${begin}-${end - 1}/${size}`);
  response.writeHead(range === null ? 200 : 206, { "Content-Length": end - begin });
  if (request.method === "HEAD" || begin === end) return response.end();
  createReadStream(file, { start: begin, end: end - 1 }).pipe(response);
}

// Events go to the console as lines of the same form as those of mocha's json-stream reporter.
function pageSource(page: SpecPage | undefined): string {
  const importMap = {
    imports: {
      chai: "/node_modules/chai/index.js",
      "bark-webgpu": "/speech/web.ts",
      "bark-webgpu/engine": "/engine/web.ts",
      "bark-webgpu/kernels": "/kernels/index.ts",
      "bark-webgpu-nano": "/models/nano/index.js",
      "@huggingface/tokenizers": "/node_modules/@huggingface/tokenizers/dist/tokenizers.mjs",
    },
  };
  const head = `<!doctype html><meta charset="utf-8"><title>specs</title>
<script type="importmap">${JSON.stringify(importMap)}</script>`;
  if (page === undefined) return head;
  const { specs, grep } = page;
  return `${head}<div id="mocha"></div>
<script src="/node_modules/mocha/mocha.js"></script>
<script type="module">
const send = (name, value) => console.log(JSON.stringify([name, value]));
mocha.setup({ ui: "bdd", timeout: 120000, forbidOnly: true, reporter: function () {}, grep: ${JSON.stringify(grep ?? null)} ?? undefined });
for (const spec of ${JSON.stringify(specs)}) {
  try { await import("/" + spec); }
  catch (error) { send("fail", { fullTitle: spec, err: String(error), stack: error.stack }); }
}
mocha.run()
  .on("pass", (test) => send("pass", { fullTitle: test.fullTitle(), duration: test.duration }))
  .on("fail", (test, error) => send("fail", { fullTitle: test.fullTitle(), err: error.message, stack: error.stack }))
  .on("end", function () { send("end", this.stats); });
</script>`;
}
