import { promptKeys, type HistoryPrompt } from "../../bark/voice/history_prompt.ts";

/** SHA-256 in hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Of a value of JSON, whatever the order of its fields. */
export async function hashOf(value: unknown): Promise<string> {
  return await sha256(new TextEncoder().encode(JSON.stringify(value, sorted)));
}

/** Of the tokens of a voice, wherever they are kept. */
export async function hashOfVoice(voice: HistoryPrompt): Promise<string> {
  return await hashOf(promptKeys.map((key) => [voice[key].shape, Array.from(voice[key].data, Number)]));
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
