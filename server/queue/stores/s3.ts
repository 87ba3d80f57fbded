import type { AwsClient } from "aws4fetch";
import { EngineError } from "../../../engine/errors.ts";
import { sha256 } from "../../../speech/book/hash.ts";
import type { BookStore } from "../../../speech/book/store.ts";
import { fromPackage } from "../packages.ts";

/** Bytes of a part of a long file: S3 takes parts of 5 MiB and more, and 10,000 of them. */
const partBytes = 8 * 2 ** 20;
/** Tries of a request whose connection fails; answers 5xx and 429 are tried again by aws4fetch. */
const tries = 5;

type Environment = Readonly<Record<string, string | undefined>>;

/** Objects of an S3 bucket under a prefix: Amazon's, or another that speaks its protocol. */
export class S3Store implements BookStore {
  readonly name: string;
  readonly #client: AwsClient;
  readonly #base: string;

  private constructor(name: string, client: AwsClient, base: string) {
    this.name = name;
    this.#client = client;
    this.#base = base;
  }

  /**
   * @param address `s3://BUCKET/PREFIX`.
   * @param env keys, region and endpoint by the names that Amazon's tools use.
   * @throws EngineError `usage` without keys, for a wrong address, or without the package.
   */
  static async open(address: string, env: Environment = process.env): Promise<S3Store> {
    const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/?$/.exec(address) ?? [];
    if (bucket === undefined)
      throw new EngineError("usage", "is no address of a bucket", { where: address, expected: "s3://BUCKET/PREFIX" });
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
    if (!accessKeyId || !secretAccessKey)
      throw new EngineError("usage", "needs keys", {
        where: address,
        fix: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
      });
    const { AwsClient } = await fromPackage("aws4fetch", () => import("aws4fetch"));
    const region = env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || "us-east-1";
    const endpoint = env["AWS_ENDPOINT_URL_S3"] || env["AWS_ENDPOINT_URL"];
    const host = endpoint?.replace(/\/+$/, "") ?? `https://s3.${region}.amazonaws.com`;
    const sessionToken = env["AWS_SESSION_TOKEN"];
    const client = new AwsClient({
      ...{ accessKeyId, secretAccessKey, region, service: "s3" },
      ...(sessionToken ? { sessionToken } : {}),
    });
    return new S3Store(
      `s3://${bucket}${prefix && `/${prefix}`}`,
      client,
      `${host}/${bucket}/${prefix && `${encoded(prefix)}/`}`,
    );
  }

  async read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const answer = await this.#request("GET", file);
    if (answer.status === 404 && (await codeOf(answer)) !== "NoSuchBucket") return undefined;
    if (!answer.ok) await this.#refused(answer, file, "bad-input");
    return new Uint8Array(await answer.arrayBuffer());
  }

  async write(file: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    if (content instanceof Uint8Array) return await this.#put(file, content);
    const parts = inParts(content);
    const first = await parts.next();
    const second = await parts.next();
    if (second.done === true) return await this.#put(file, first.done === true ? new Uint8Array() : first.value);
    await this.#putParts(file, async function* () {
      yield first.value as Uint8Array;
      yield second.value;
      yield* parts;
    });
  }

  async create(file: string, content: Uint8Array): Promise<boolean> {
    const answer = await this.#request("PUT", file, content, { "If-None-Match": "*" });
    if (answer.ok) return true;
    if (answer.status === 412) return false;
    // Two wrote at once, and the store wants one to look again.
    if (answer.status === 409) return (await this.read(file)) === undefined && (await this.create(file, content));
    if (answer.status !== 501) return await this.#refused(answer, file, "io");
    // A store without conditional writes: who comes a moment later overwrites.
    if ((await this.read(file)) !== undefined) return false;
    await this.#put(file, content);
    return true;
  }

  async remove(file: string): Promise<void> {
    const answer = await this.#request("DELETE", file);
    if (!answer.ok && answer.status !== 404) await this.#refused(answer, file, "io");
  }

  async #put(file: string, content: Uint8Array): Promise<void> {
    const answer = await this.#request("PUT", file, content);
    if (!answer.ok) await this.#refused(answer, file, "io");
  }

  /** A file of more than one part appears when all of them are there. */
  async #putParts(file: string, parts: () => AsyncIterable<Uint8Array>): Promise<void> {
    const begun = await this.#request("POST", file, undefined, {}, "?uploads=");
    const id = /<UploadId>([^<]+)<\/UploadId>/.exec(await begun.clone().text())?.[1];
    if (!begun.ok || id === undefined) return await this.#refused(begun, file, "io");
    const upload = `uploadId=${encodeURIComponent(id)}`;
    try {
      const tags: string[] = [];
      for await (const part of parts()) {
        const answer = await this.#request("PUT", file, part, {}, `?partNumber=${tags.length + 1}&${upload}`);
        if (!answer.ok) await this.#refused(answer, file, "io");
        tags.push(answer.headers.get("ETag") ?? "");
      }
      const list = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`);
      const xml = `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`;
      const ended = await this.#request("POST", file, new TextEncoder().encode(xml), {}, `?${upload}`);
      // This answer may be 200 and hold an error.
      if (!ended.ok || (await codeOf(ended)) !== undefined) await this.#refused(ended, file, "io");
    } catch (error) {
      // Parts of a broken upload are stored, and paid for, until somebody removes them.
      await this.#request("DELETE", file, undefined, {}, `?${upload}`).catch(() => undefined);
      throw error;
    }
  }

  async #request(
    method: string,
    file: string,
    body?: Uint8Array,
    headers: Record<string, string> = {},
    query = "",
  ): Promise<Response> {
    const url = `${this.#base}${encoded(file)}${query}`;
    const bytes = body === undefined ? undefined : new Uint8Array(body);
    const signed = bytes === undefined ? headers : { ...headers, "X-Amz-Content-Sha256": await sha256(bytes) };
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#client.fetch(url, { method, headers: signed, ...(bytes && { body: bytes }) });
      } catch (cause) {
        if (attempt < tries) await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt));
        else {
          const { message, cause: why } = cause as Error;
          const reason = why instanceof Error && why.message !== "" ? why.message : message;
          throw new EngineError("io", `the store cannot be reached: ${reason}`, {
            where: new URL(this.#base).host,
            fix: "AWS_ENDPOINT_URL says where it is",
            cause,
          });
        }
      }
  }

  async #refused(answer: Response, file: string, code: "io" | "bad-input"): Promise<never> {
    const name = (await codeOf(answer)) ?? `status ${answer.status}`;
    const [problem, fix] = reasons[name] ?? [`the store refused it: ${name}`, "look whether it is healthy"];
    throw new EngineError(code, problem, { where: `${this.name}/${file}`, fix });
  }
}

const reasons: Readonly<Record<string, readonly [problem: string, fix: string]>> = {
  AccessDenied: ["no permission in this bucket", "the keys need to get, put and delete objects"],
  InvalidAccessKeyId: ["the store does not know the key", "set AWS_ACCESS_KEY_ID"],
  SignatureDoesNotMatch: ["the secret key is not that of the access key", "set AWS_SECRET_ACCESS_KEY"],
  NoSuchBucket: ["there is no such bucket", "make it first"],
  RequestTimeTooSkewed: ["this machine's clock differs from the store's", "set the clock"],
  QuotaExceeded: ["the store is full", "make room"],
  XMinioStorageFull: ["the store is full", "make room"],
};

function encoded(file: string): string {
  return file.split("/").map(encodeURIComponent).join("/");
}

async function codeOf(answer: Response): Promise<string | undefined> {
  return /<Code>([^<]{1,80})<\/Code>/.exec(await answer.clone().text())?.[1];
}

/** The same bytes in parts of {@link partBytes}, the last of which is shorter. */
async function* inParts(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let part = new Uint8Array(partBytes);
  let filled = 0;
  for await (let bytes of content)
    while (bytes.length > 0) {
      const taken = bytes.subarray(0, partBytes - filled);
      part.set(taken, filled);
      filled += taken.length;
      bytes = bytes.subarray(taken.length);
      if (filled < partBytes) continue;
      yield part;
      [part, filled] = [new Uint8Array(partBytes), 0];
    }
  if (filled > 0) yield part.subarray(0, filled);
}
