import { join } from "../../audio/encode/stream.ts";
import { ApiError } from "./errors.ts";

/**
 * The bytes of a request's body, at most so many: a body that is announced as larger is not read at all, and one that comes
 * in chunks no further than that.
 * @throws ApiError 413, or 400 if it ends early.
 */
export async function readBody(request: Request, most: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > most) throw tooLarge(most);
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > most) throw tooLarge(most);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError(400, "The body ended before it was complete.", { code: "incomplete_body", cause });
  }
  return join(parts);
}

function tooLarge(most: number): ApiError {
  return new ApiError(413, `The body is too large: at most ${most} bytes are read.`, {
    code: "body_too_large",
    // What else of it comes is not read.
    headers: { Connection: "close" },
  });
}

/** A body of JSON. @throws ApiError 400 for what is no object in UTF-8, 413, 415. */
export async function readJson(request: Request, most: number): Promise<Record<string, unknown>> {
  const type = request.headers.get("content-type") ?? "";
  // A page of another origin may send other types without asking first.
  if (!/^application\/json *(;|$)/i.test(type))
    throw new ApiError(415, "Send JSON, with the header Content-Type: application/json.", {
      code: "unsupported_media_type",
    });
  const bytes = await readBody(request, most);
  const value = parse(bytes);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ApiError(400, "The body is not a JSON object.", { code: "invalid_json" });
}

function parse(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError(400, "The body is not valid UTF-8.", { code: "invalid_utf8", cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    // JSON.parse shows the text, which belongs to the client alone and into no log.
    throw new ApiError(400, "The body is not valid JSON.", { code: "invalid_json", cause });
  }
}
