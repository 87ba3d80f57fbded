import { EngineError } from "../../engine/errors.ts";

/** Statuses that the server answers with when something is wrong. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 429 | 431 | 500 | 503;

/** What a client reads: OpenAI's four keys, all of them always. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

interface Details {
  /** The field of the request at fault. */
  readonly param?: string | undefined;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer that is an error, in the form of OpenAI's. */
export class ApiError extends Error {
  readonly status: ErrorStatus;
  readonly headers: Readonly<Record<string, string>>;
  readonly #param: string | null;
  readonly #code: string | null;

  constructor(status: ErrorStatus, message: string, { param, code, headers = {}, cause }: Details = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.headers = headers;
    this.#param = param ?? null;
    this.#code = code ?? null;
  }

  get body(): ErrorBody {
    const { message } = this;
    return { error: { message, type: typeOf(this.status), param: this.#param, code: this.#code } };
  }
}

function typeOf(status: ErrorStatus): string {
  if (status === 401) return "authentication_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** Which field of a request the place of an error is about. */
const params: Readonly<Record<string, string>> = { text: "input", voice_preset: "voice", voice: "voice" };

/**
 * What went wrong, as an answer. A client learns what is wrong with his request; of what is wrong with the machine, that it
 * is, since the message of such an error names files and adapters.
 * @param isField whether a name is a field of the request.
 */
export function apiErrorOf(error: unknown, isField: (name: string) => boolean = () => false): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof Error && error.name === "AbortError") return stoppedBy(error);
  if (!(error instanceof EngineError)) return faultOf(error);
  const { code, message, where = "", cause } = error;
  if (code === "aborted" && cause instanceof ApiError) return cause;
  if (code === "aborted") return stoppedBy(error);
  if (code === "device-lost" || code === "limit")
    return new ApiError(503, "The GPU failed while this was spoken; try again.", {
      code: "gpu_failed",
      headers: { "Retry-After": "1" },
      cause: error,
    });
  if (code !== "usage" && code !== "bad-input") return faultOf(error);
  const name = where.split(/[^\w]/)[0];
  const param = Object.hasOwn(params, name) ? params[name] : isField(name) ? name : undefined;
  return new ApiError(400, message, { param, code: "invalid_value", cause: error });
}

function stoppedBy(cause: unknown): ApiError {
  return new ApiError(503, "The request was stopped.", { code: "stopped", cause });
}

function faultOf(cause: unknown): ApiError {
  return new ApiError(500, "The server failed; its log says how.", { code: "internal_error", cause });
}
