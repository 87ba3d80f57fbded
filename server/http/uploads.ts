import type { SpeechBackend } from "../backend/backend.ts";
import type { VoiceTable } from "../voice_table.ts";
import { readBody } from "./body.ts";
import type { AppContext } from "./environment.ts";
import { ApiError, apiErrorOf } from "./errors.ts";

/** A voice of a minute has 1 MB. */
const mostBytes = 4 << 20;
const names = /^[\w.-]{1,64}$/;

/** `POST /v1/audio/voices`: a form with `name` and the `.npz` as `file`. */
export async function uploadVoice(c: AppContext, voices: VoiceTable, backend: SpeechBackend): Promise<Response> {
  const { name, file } = await readForm(c);
  if (typeof name !== "string" || !names.test(name))
    throw wrong("name", "'name' is 1 to 64 letters, digits, points, dashes and underscores.");
  if (!(file instanceof File))
    throw wrong("file", "'file' is a voice as .npz; Bark cannot learn one from a recording.");
  if (voices.isTaken(name))
    throw new ApiError(409, "There is a voice of this name; DELETE it first, or take another.", {
      param: "name",
      code: "name_taken",
    });
  if (voices.isFull) throw new ApiError(409, "No more voices are kept; DELETE one first.", { code: "too_many_voices" });
  const voice = await backend.readVoice(new Uint8Array(await file.arrayBuffer())).catch((error: unknown) => {
    const { status, message } = apiErrorOf(error);
    throw status === 400 ? wrong("file", message) : error;
  });
  const created_at = Math.floor(Date.now() / 1000);
  // Another one may have taken the name meanwhile.
  if (voices.isTaken(name))
    throw new ApiError(409, "There is a voice of this name.", { param: "name", code: "name_taken" });
  voices.add(name, voice, created_at);
  return c.json({ object: "audio.voice", id: name, name, created_at });
}

/** `DELETE /v1/audio/voices/{id}`. */
export function deleteVoice(c: AppContext, voices: VoiceTable): Response {
  const id = c.req.param("id") ?? "";
  if (!voices.delete(id))
    throw new ApiError(404, "There is no uploaded voice of this name.", { param: "id", code: "voice_not_found" });
  return c.json({ object: "audio.voice.deleted", id, deleted: true });
}

async function readForm(c: AppContext): Promise<{ name: unknown; file: unknown }> {
  const type = c.req.header("content-type") ?? "";
  if (!/^multipart\/form-data *;/i.test(type))
    throw new ApiError(415, "Send a form, with the header Content-Type: multipart/form-data.", {
      code: "unsupported_media_type",
    });
  const bytes = await readBody(c.req.raw, mostBytes);
  try {
    const form = await new Response(bytes, { headers: { "Content-Type": type } }).formData();
    return { name: form.get("name"), file: form.get("file") };
  } catch (cause) {
    throw new ApiError(400, "The form cannot be read.", { code: "invalid_form", cause });
  }
}

function wrong(param: string, message: string): ApiError {
  return new ApiError(400, message, { param, code: "invalid_value" });
}
