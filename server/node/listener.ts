import { createAdaptorServer } from "@hono/node-server";
import { STATUS_CODES, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ApiError, type ErrorStatus } from "../http/errors.ts";
import { listenError } from "./listen_error.ts";

export interface ListenOptions {
  /** Default 8880; 0: any that is free. */
  port?: number;
  /** Default 127.0.0.1: this machine alone. */
  host?: string;
}

type Fetch = (request: Request, bindings: object) => Response | Promise<Response>;

/** Seconds in which the headers of a request have to be there. */
const headersTimeout = 15;

/** A server of Node for an app. */
export class Listener {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param timeout seconds in which a whole request has to be there. @throws EngineError `io` if the port is taken. */
  static async open(
    fetch: Fetch,
    { port = 8880, host = "127.0.0.1" }: ListenOptions,
    timeout: number,
  ): Promise<Listener> {
    const server = createAdaptorServer({
      fetch: fetch,
      // It is a library: the program's own Request and Response stay as they are.
      overrideGlobalObjects: false,
      serverOptions: {
        headersTimeout: Math.min(headersTimeout, timeout) * 1000,
        requestTimeout: timeout * 1000,
        connectionsCheckingInterval: 1000,
        keepAliveTimeout: 5000,
      },
    }) as Server;
    server.on("clientError", answerBroken);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      server.listen(port, host, resolve);
    });
    return new Listener(server);
  }

  /** `http://127.0.0.1:8880`. */
  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  /** Ends all connections, those under way once their answers have left, or after a second. */
  async close(): Promise<void> {
    const idle = setInterval(() => this.#server.closeIdleConnections(), 20);
    const all = setTimeout(() => this.#server.closeAllConnections(), 1000);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearInterval(idle);
    clearTimeout(all);
  }
}

/** What is no HTTP, or came too slowly, gets an answer in the form of all others. */
function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, message] = brokenBy(error.code);
  const body = JSON.stringify(new ApiError(status, message, { code: "bad_request" }).body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `x-request-id: req_${crypto.randomUUID().replaceAll("-", "")}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function brokenBy(code: string | undefined): [ErrorStatus, string] {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return [408, "The request came too slowly."];
  if (code === "HPE_HEADER_OVERFLOW") return [431, "The headers are too large."];
  return [400, "This is not a request of HTTP/1.1."];
}
