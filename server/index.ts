/** `bark-webgpu/server`: speech over HTTP, as OpenAI's clients ask for it. */
import type { SpeechBackend } from "./backend/backend.ts";
import type { Speaker } from "./backend/local_backend.ts";
import type { ServerOptions } from "./options.ts";
import { requirePackages } from "./packages.ts";
import { requireVoices } from "./voice_table.ts";
import type { BarkHttpServer } from "./server.ts";

export type { PreparedRequest, SpeechBackend, SpeechOptions, SpeechPart, SpeechRequest } from "./backend/backend.ts";
export type { Speaker } from "./backend/local_backend.ts";
export type { TokenCounts } from "../speech/speak.ts";
export type { LongTexts } from "./backend/routed_backend.ts";
export { jsonLog, type ServerLog } from "./log.ts";
export { requirePackages, requireVoices };
export type { ListenOptions } from "./node/listener.ts";
export type { ServerOptions } from "./options.ts";
export type { BarkHttpServer } from "./server.ts";

/**
 * A server that speaks with a model: `(await createServer(await BarkTTS.from_pretrained("nano", { recover: true }))).listen()`.
 * It stands on optional packages, which are loaded here.
 * @param speaker a `BarkTTS`, which stays the caller's to dispose; or where else speech comes from.
 * @throws EngineError `usage` for an option, `io` naming a package that is not installed.
 */
export async function createServer(
  speaker: Speaker | SpeechBackend,
  options: ServerOptions = {},
): Promise<BarkHttpServer> {
  await requirePackages();
  const { BarkHttpServer } = await import("./server.ts");
  return new BarkHttpServer(speaker, options);
}
