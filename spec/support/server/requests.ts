import { expect } from "chai";

/** A request that is right. */
export const good = { model: "tts-1", input: "Hello my dog", voice: "alloy" };

/** Posts a request for speech. */
export async function post(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const isBody = typeof body === "string" || body instanceof Uint8Array;
  return await fetch(`${url}/v1/audio/speech`, {
    method: "POST",
    body: isBody ? (body as string) : JSON.stringify(body),
    ...init,
    headers: { "Content-Type": "application/json", ...init.headers },
  });
}

export interface ReadError {
  status: number;
  message: string;
  type: string;
  param: string | null;
  code: string | null;
}

/** The error that an answer is; all four keys have to be there. */
export async function errorOf(response: Response): Promise<ReadError> {
  const { error } = (await response.json()) as { error: Omit<ReadError, "status"> };
  expect(error).keys("message", "type", "param", "code");
  expect(response.headers.get("x-request-id")).match(/^req_[0-9a-f]{32}$/);
  return { status: response.status, ...error };
}

export async function bytesOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await response.arrayBuffer());
}

/** Waits until it is so; a test that waits in vain fails. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 1000 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isSo(), what).equal(true);
}
