import { z } from "@hono/zod-openapi";
import { ApiError } from "./errors.ts";

/** OpenAI's formats: the names that `response_format` takes. */
export const responseFormats = ["mp3", "opus", "aac", "flac", "wav", "pcm"] as const;

const temperature = (of: string) =>
  z.number().positive().max(100).nullish().describe(`Sampling temperature of ${of}. Default: the checkpoint's.`);
const flag = (text: string) => z.boolean().nullish().describe(text);

/** Fields of OpenAI's request, with its names, defaults and limits; the length of the text is the server's own. */
const theirs = {
  model: z.string().min(1).max(256).describe("A model of GET /v1/models."),
  input: z.string().min(1).describe("The text, of any length up to the server's limit."),
  voice: z
    .union([z.string().min(1).max(256), z.object({ id: z.string().min(1).max(256) })])
    .describe("A voice of GET /v1/audio/voices, or one of OpenAI's names."),
  instructions: z.string().max(4096).nullish().describe("Bark takes none: they are told in a Warning header."),
  response_format: z
    .enum(responseFormats)
    .nullish()
    .describe("Default mp3. pcm: 24 kHz, 16 bits, little-endian, mono."),
  speed: z.number().min(0.25).max(4).nullish().describe("Bark speaks at speed 1 alone: any other is refused."),
  stream_format: z.enum(["audio", "sse"]).nullish().describe("Default audio."),
};

/** Ours, by the names of `BarkTTS.stream` and `bark say`. */
const ours = {
  seed: z.int().min(0).nullish().describe("Of the random draws; the same seed, voice and text sound the same."),
  language: z
    .string()
    .regex(/^[a-z]{2}$/)
    .nullish()
    .describe("Of the text. Default: the voice's, or en."),
  normalize: z.enum(["none", "basic"]).nullish().describe("basic: numbers, units and abbreviations in words."),
  split: z.enum(["auto", "none"]).nullish().describe("none: one run of the model, which cuts what is too long."),
  latency: z.enum(["exact", "low"]).nullish().describe("low: sound as the fine model hears it at first, sooner."),
  captions: flag("With stream_format sse: an event speech.audio.segment for each piece."),
  retries: z.int().min(0).max(5).nullish().describe("Takes after the first of a piece that came out badly."),
  loudness: z.number().min(-70).max(0).nullish().describe("LUFS that pieces are brought to."),
  bitrate: z.number().min(6).max(512).nullish().describe("kbit/s of a lossy format."),
  greedy: flag("No sampling in any stage."),
  temperature: temperature("all stages"),
  semantic_temperature: temperature("the semantic stage"),
  coarse_temperature: temperature("the coarse stage"),
  fine_temperature: temperature("the fine stage"),
  top_k: z.int().min(1).nullish().describe("Sample among the K best tokens."),
  top_p: z.number().min(0).max(1).nullish().describe("Sample among tokens that together reach this probability."),
  min_eos_p: z.number().min(0).max(1).nullish().describe("End the speech once its end has this probability."),
  semantic_max_new_tokens: z.int().min(1).nullish().describe("End the speech after so many semantic tokens."),
};

export const speechSchema = z.object({ ...theirs, ...ours }).openapi("CreateSpeechRequest");
export type SpeechFields = z.infer<typeof speechSchema>;

const fieldNames = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
export const isField = (name: string): boolean => fieldNames.has(name);

/** The fields of a request, and the names of those that are none. @throws ApiError 400 naming the field. */
export function readFields(body: Record<string, unknown>): { fields: SpeechFields; unknown: string[] } {
  const { success, data, error } = speechSchema.safeParse(body);
  if (!success) throw wrongField(body, error.issues[0]);
  return { fields: data, unknown: Object.keys(body).filter((name) => !isField(name)) };
}

function wrongField(body: Record<string, unknown>, issue: z.core.$ZodIssue): ApiError {
  const param = issue.path.join(".");
  const top = String(issue.path[0]);
  if (!Object.hasOwn(body, top) || body[top] === undefined)
    return new ApiError(400, `Missing required parameter: '${param}'.`, { param, code: "missing_required_parameter" });
  const code = issue.code === "invalid_type" ? "invalid_type" : "invalid_value";
  return new ApiError(400, `Wrong value of '${param}': ${issue.message}.`, { param, code });
}

// ---- answers, for /openapi.json

export const errorSchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .openapi("ErrorResponse");

export const modelSchema = z
  .object({ id: z.string(), object: z.literal("model"), created: z.int(), owned_by: z.string() })
  .openapi("Model");

export const voiceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    language: z.string().nullable().describe("ISO 639-1, where the preset's name tells it."),
    preset: z.string().nullable().describe("The preset that speaks; null: the model makes a voice up."),
    source: z.enum(["preset", "alias", "uploaded"]),
  })
  .openapi("Voice");

export const uploadedSchema = z
  .object({ object: z.literal("audio.voice"), id: z.string(), name: z.string(), created_at: z.int() })
  .openapi("UploadedVoice");
