import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import { z } from "@hono/zod-openapi";
import type { AppEnv } from "./environment.ts";
import { errorSchema, modelSchema, responseFormats, speechSchema, uploadedSchema, voiceSchema } from "./schemas.ts";

type Doc = Omit<RouteConfig, "method" | "path">;

const json = (schema: z.ZodType, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
const text = (description: string) => ({ description, content: { "text/plain": { schema: z.string() } } });
const errors = {
  "4XX": json(errorSchema, "What is wrong with the request. 429 has Retry-After."),
  "5XX": json(errorSchema, "What went wrong here."),
};
const idParam = { params: z.object({ id: z.string() }) };
const binary = z.string().openapi({ format: "binary" });

/** What each route takes and answers, from the schemas by which it is checked. */
export const docs = {
  speech: {
    summary: "Speaks a text",
    request: { body: { required: true, content: { "application/json": { schema: speechSchema } } } },
    responses: {
      200: {
        description: `Sound (${responseFormats.join(", ")}) in chunks, or its events.`,
        content: { "application/octet-stream": { schema: binary }, "text/event-stream": { schema: z.string() } },
      },
      ...errors,
    },
  },
  models: {
    summary: "Lists the names of the model",
    responses: { 200: json(z.object({ object: z.literal("list"), data: z.array(modelSchema) }), "Models."), ...errors },
  },
  model: {
    summary: "One of them",
    request: idParam,
    responses: { 200: json(modelSchema, "The model."), ...errors },
  },
  audioModels: {
    summary: "The same, as Open WebUI asks",
    responses: { 200: json(z.object({ models: z.array(z.object({ id: z.string() })) }), "Models."), ...errors },
  },
  voices: {
    summary: "Lists the voices",
    responses: { 200: json(z.object({ voices: z.array(voiceSchema) }), "Voices."), ...errors },
  },
  upload: {
    summary: "Keeps a voice in memory, where the server allows it",
    request: {
      body: { content: { "multipart/form-data": { schema: z.object({ name: z.string(), file: binary }) } } },
    },
    responses: { 200: json(uploadedSchema, "The voice."), ...errors },
  },
  deleteVoice: {
    summary: "Forgets an uploaded voice",
    request: idParam,
    responses: {
      200: json(z.object({ object: z.string(), id: z.string(), deleted: z.boolean() }), "It is gone."),
      ...errors,
    },
  },
  live: { summary: "Whether the process runs", responses: { 200: text("It does.") } },
  ready: { summary: "Whether it takes requests", responses: { 200: text("It does."), 503: text("It is ending.") } },
  metrics: { summary: "Numbers for Prometheus", responses: { 200: text("Metrics.") } },
} satisfies Record<string, Doc>;

/** The document of all routes that were registered. */
export function openApiOf(app: OpenAPIHono<AppEnv>): object {
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "bark-webgpu",
      version: "1",
      description: "Text to speech by Bark, with the API of OpenAI's audio/speech.",
    },
  });
}
