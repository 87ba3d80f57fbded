import { AwsV4Signer } from "aws4fetch";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { sha256 } from "../../speech/book/hash.ts";

export const keys = { AWS_ACCESS_KEY_ID: "bark", AWS_SECRET_ACCESS_KEY: "secret of the test" };

/** What of S3 the store uses, in memory; every request's signature is checked. */
export class S3Server {
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #uploads = new Map<string, Map<number, Uint8Array<ArrayBuffer>>>();
  /** Answers instead, if it says something. */
  fault: (method: string, path: string) => [status: number, code: string] | undefined = () => undefined;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<S3Server> {
    const server = new S3Server();
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get env(): Record<string, string> {
    return { ...keys, AWS_ENDPOINT_URL: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = new Uint8Array(Buffer.concat(chunks));
    const url = new URL(request.url!, `http://${request.headers.host}`);
    const method = request.method!;
    const name = decodeURIComponent(url.pathname);
    this.requests.push(`${method} ${name}${url.search}`);
    const refuse = (status: number, code: string): void => {
      response.writeHead(status).end(method === "HEAD" ? "" : `<Error><Code>${code}</Code></Error>`);
    };
    const fault = this.fault(method, name);
    if (fault !== undefined) return refuse(...fault);
    if (!(await isSigned(request, url, body))) return refuse(403, "SignatureDoesNotMatch");
    if (!name.startsWith("/books/")) return refuse(404, "NoSuchBucket");
    const query = url.searchParams;
    const upload = query.get("uploadId");
    if (method === "GET") {
      const found = this.objects.get(name);
      return found === undefined ? refuse(404, "NoSuchKey") : void response.end(found);
    }
    if (method === "DELETE") {
      if (upload === null) this.objects.delete(name);
      else this.#uploads.delete(upload);
      return void response.writeHead(204).end();
    }
    if (method === "POST" && query.has("uploads")) {
      const id = `upload ${this.#uploads.size}&`;
      this.#uploads.set(id, new Map());
      const xml = `<UploadId>${id}</UploadId>`;
      return void response.end(xml);
    }
    if (method === "POST") {
      const parts = [...this.#uploads.get(upload!)!].sort(([a], [b]) => a - b);
      this.objects.set(name, new Uint8Array(Buffer.concat(parts.map(([, part]) => part))));
      return void response.end("<CompleteMultipartUploadResult/>");
    }
    if (upload !== null) {
      this.#uploads.get(upload)!.set(Number(query.get("partNumber")), body);
      return void response.writeHead(200, { ETag: `"${query.get("partNumber")}"` }).end();
    }
    if (request.headers["if-none-match"] === "*" && this.objects.has(name)) return refuse(412, "PreconditionFailed");
    this.objects.set(name, body);
    response.end();
  }

  get openUploads(): number {
    return this.#uploads.size;
  }
}

/** Signs the request again and compares. */
async function isSigned(
  { headers, method }: IncomingMessage,
  url: URL,
  body: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const given = headers.authorization ?? "";
  const names = /SignedHeaders=([^,]+)/.exec(given)?.[1].split(";") ?? [];
  const hash = headers["x-amz-content-sha256"] as string;
  if (body.length > 0 && hash !== (await sha256(body))) return false;
  const signed = names.filter((name) => name !== "host").map((name) => [name, headers[name] as string]);
  const signer = new AwsV4Signer({
    ...{ method: method!, url: url.href, headers: Object.fromEntries(signed) as Record<string, string> },
    ...{ accessKeyId: keys.AWS_ACCESS_KEY_ID, secretAccessKey: keys.AWS_SECRET_ACCESS_KEY },
    ...{ service: "s3", region: "us-east-1", datetime: headers["x-amz-date"] as string },
  });
  return (await signer.sign()).headers.get("Authorization") === given;
}
