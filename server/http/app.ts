import { OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import { cors } from "hono/cors";
import { nearestName } from "../../engine/check/nearest_name.ts";
import type { ServerSettings } from "../options.ts";
import type { AppContext, AppEnv } from "./environment.ts";
import { ApiError, apiErrorOf } from "./errors.ts";
import { hostGuard, keyGuard, originGuard } from "./guards.ts";
import { docs, openApiOf } from "./openapi.ts";
import { webPage } from "./page.ts";
import { speech, type SpeechService } from "./speech.ts";
import { deleteVoice, uploadVoice } from "./uploads.ts";

/** What the app works with. */
export interface AppParts extends SpeechService {
  readonly settings: ServerSettings;
  /** Whether new work is taken. */
  readonly isReady: () => boolean;
}

type App = OpenAPIHono<AppEnv>;
type Handler = (c: AppContext) => Response | Promise<Response>;

/** Headers that pages may read and send. */
const readable = ["x-request-id", "x-bark-seed", "retry-after", "warning"];
const sendable = ["authorization", "content-type"];

/** The routes, and what stands before them. */
export function createApp(parts: AppParts): App {
  const { settings, ended } = parts;
  const app: App = new OpenAPIHono<AppEnv>();
  app.use(async (c, next) => {
    c.set("began", performance.now());
    c.set("requestId", `req_${crypto.randomUUID().replaceAll("-", "")}`);
    c.set("route", "other");
    c.set("isStream", false);
    c.set("client", "");
    await next();
    c.res.headers.set("x-request-id", c.get("requestId"));
    c.res.headers.set("X-Content-Type-Options", "nosniff");
    if (!c.get("isStream") && c.error === undefined) ended(c, c.res.status, {});
  });
  app.use(hostGuard(settings));
  if (settings.cors.length > 0)
    app.use(cors({ origin: [...settings.cors], exposeHeaders: readable, allowHeaders: sendable, maxAge: 600 }));
  app.use(originGuard(settings));
  const open = ["/livez", "/readyz", ...(settings.public_voices ? ["/v1/audio/voices"] : [])];
  const isPage = (path: string): boolean =>
    settings.web !== undefined && !/^\/(?:v1|metrics|openapi\.json)(?:\/|$)/.test(path);
  app.use(keyGuard(settings, (path) => open.includes(path) || isPage(path)));
  addRoutes(app, parts);
  if (settings.web !== undefined) app.use(webPage(settings.web));
  app.notFound((c) => answerOf(c, new ApiError(404, notFoundLine(app, c.req.path), { code: "not_found" })));
  app.onError((error, c) => {
    const isGone = c.req.raw.signal.aborted;
    const answer = apiErrorOf(error);
    if (isGone) parts.metrics.aborted();
    ended(c, isGone ? 499 : answer.status, {}, answer);
    return answerOf(c, answer);
  });
  return app;
}

function answerOf(c: AppContext, { status, headers, body }: ApiError): Response {
  return c.json(body, status, headers);
}

function addRoutes(app: App, parts: AppParts): void {
  const { models, voices, backend, metrics, settings, isReady } = parts;
  const methods = new Map<string, string[]>();
  const add = (
    method: "get" | "post" | "delete",
    path: string,
    doc: Omit<RouteConfig, "method" | "path">,
    handler: Handler,
  ): void => {
    const honoPath = path.replace("{id}", ":id{.+}");
    app.openAPIRegistry.registerPath({ ...doc, method, path });
    methods.set(honoPath, [...(methods.get(honoPath) ?? []), method.toUpperCase()]);
    app.on(method, honoPath, async (c) => {
      c.set("route", path);
      return await handler(c);
    });
  };
  add("post", "/v1/audio/speech", docs.speech, async (c) => {
    if (!isReady()) throw notReady();
    return await speech(c, parts);
  });
  add("get", "/v1/models", docs.models, (c) => c.json({ object: "list", data: models.list }));
  add("get", "/v1/models/{id}", docs.model, (c) => c.json(models.require(c.req.param("id")!)));
  add("get", "/v1/audio/models", docs.audioModels, (c) => c.json({ models: models.list.map(({ id }) => ({ id })) }));
  add("get", "/v1/audio/voices", docs.voices, (c) => c.json({ voices: voices.list }));
  if (settings.uploads > 0) {
    add("post", "/v1/audio/voices", docs.upload, async (c) => await uploadVoice(c, voices, backend));
    add("delete", "/v1/audio/voices/{id}", docs.deleteVoice, (c) => deleteVoice(c, voices));
  }
  add("get", "/livez", docs.live, (c) => c.text("ok\n"));
  add("get", "/readyz", docs.ready, (c) => (isReady() ? c.text("ok\n") : c.text("ending\n", 503)));
  add("get", "/metrics", docs.metrics, async (c) =>
    c.body(await metrics.text(), 200, { "Content-Type": metrics.contentType }),
  );
  const document = openApiOf(app);
  add("get", "/openapi.json", { summary: "This document", responses: {} }, (c) => c.json(document));
  for (const [path, allowed] of methods)
    app.all(path, (c) => {
      c.set("route", path);
      const Allow = allowed.join(", ");
      throw new ApiError(405, `${c.req.method} is not for this path; it takes ${Allow}.`, {
        code: "method_not_allowed",
        headers: { Allow },
      });
    });
}

function notReady(): ApiError {
  return new ApiError(503, "The server is ending; ask another one.", {
    code: "not_ready",
    headers: { "Retry-After": "5", Connection: "close" },
  });
}

function notFoundLine(app: App, path: string): string {
  const known = app.routes.map((route) => route.path).filter((route) => /^\/[^*]+$/.test(route));
  const nearest = nearestName(path, new Set(known));
  return `There is nothing here.${nearest === undefined ? " GET /openapi.json lists what is." : ` Did you mean ${nearest}?`}`;
}
