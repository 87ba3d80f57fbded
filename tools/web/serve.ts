import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

export interface SiteServer {
  readonly url: string;
  close(): Promise<void>;
}

const mimeTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  // Browsers compile it while it comes, of no other type.
  ".wasm": "application/wasm",
};

/** Serves a folder to this machine alone, with ranges, which checkpoints are read by. @param port 0: any that is free. */
export async function serveFolder(folder: string, port = 0): Promise<SiteServer> {
  const server = http.createServer((request, response) => {
    respond(path.resolve(folder), request, response).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () =>
      await new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(folder: string, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const file = path.join(folder, decodeURIComponent(pathname.endsWith("/") ? `${pathname}index.html` : pathname));
  const found = file.startsWith(folder + path.sep) ? await stat(file).catch(() => undefined) : undefined;
  if (found?.isFile() !== true) return void response.writeHead(404).end();
  const type = mimeTypes[path.extname(file)] ?? "application/octet-stream";
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const begin = range === null ? 0 : Number(range[1]);
  const end = Math.min(found.size, range === null || range[2] === "" ? found.size : Number(range[2]) + 1);
  const headers = { "Content-Type": type, "Accept-Ranges": "bytes", "Cache-Control": "no-cache" };
  if (range !== null && begin >= end)
    return void response.writeHead(416, { "Content-Range": `bytes */${found.size}` }).end();
  const part = range === null ? {} : { "Content-Range": `bytes ${begin}-${end - 1}/${found.size}` };
  response.writeHead(range === null ? 200 : 206, { ...headers, ...part, "Content-Length": end - begin });
  if (request.method === "HEAD" || begin === end) return void response.end();
  createReadStream(file, { start: begin, end: end - 1 }).pipe(response);
}
