import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Loopback {
  /** Without a slash at its end. */
  url: string;
  /** Path and Range header of each request. */
  requests: string[];
  close(): Promise<void>;
}

/** An HTTP server on this machine. */
export async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Loopback> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers.range ?? "whole"}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An address of this machine where nothing listens. */
export async function closedAddress(): Promise<string> {
  const server = await serve(() => undefined);
  await server.close();
  return server.url;
}

/** Answers a request for a range of `body` as RFC 9110 says. */
export function sendRange(request: IncomingMessage, response: ServerResponse, body: Uint8Array): void {
  const [first, last] = /^bytes=(\d+)-(\d+)$/
    .exec(request.headers.range ?? "")!
    .slice(1)
    .map(Number);
  if (first >= body.length) return void response.writeHead(416, { "Content-Range": `bytes */${body.length}` }).end();
  const part = body.subarray(first, last + 1);
  response.writeHead(206, { "Content-Range": `bytes ${first}-${first + part.length - 1}/${body.length}` }).end(part);
}
