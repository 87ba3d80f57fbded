import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { sha256, type LoopbackHub, type ServedRepository } from "./served.ts";

type Json = Record<string, unknown>;
interface Exchange {
  hub: LoopbackHub;
  storage: string;
  response: ServerResponse;
  user: string;
  body: Buffer;
}

const routes: [RegExp, (exchange: Exchange, ...parts: string[]) => void][] = [
  [/^GET \/api\/whoami-v2$/, ({ response, user }) => send(response, 200, { type: "user", name: user, auth: {} })],
  [/^POST \/api\/repos\/create$/, create],
  [
    /^GET \/api\/models\/([^/]+\/[^/?]+)\?/,
    ({ hub, response }, id) => send(response, hub.repositories.has(id) ? 200 : 404, {}),
  ],
  [/^POST \/api\/models\/([^/]+\/[^/]+)\/branch\/([^/]+)$/, branch],
  [/^POST \/api\/models\/([^/]+\/[^/]+)\/preupload\/([^/?]+)/, preupload],
  [/^POST \/([^/]+\/[^/]+)\.git\/info\/lfs\/objects\/batch$/, batch],
  [/^POST \/api\/models\/([^/]+\/[^/]+)\/commit\/([^/?]+)(\?create_pr=1)?$/, commit],
];

/** Answers what a push asks of the hub; says whether it did. */
export function answerUpload(
  hub: LoopbackHub,
  storage: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const asked = `${request.method} ${request.url}`;
  const route = routes.find(([pattern]) => pattern.test(asked));
  if (route === undefined) return false;
  const user = hub.uploads.writers[(request.headers.authorization ?? "").replace("Bearer ", "")];
  void bodyOf(request).then((body) => {
    if (user === undefined) return send(response, 401, { error: "Invalid username or password." });
    route[1](
      { hub, storage, response, user, body },
      ...(route[0].exec(asked) ?? []).slice(1).map((part) => decodeURIComponent(part ?? "")),
    );
  });
  return true;
}

/** A large file for the storage: kept if its bytes are what its name says. */
export function answerStorageUpload(hub: LoopbackHub, request: IncomingMessage, response: ServerResponse): boolean {
  const oid = /^\/upload\/([0-9a-f]{64})$/.exec(request.url ?? "")?.[1];
  if (request.method !== "PUT" || oid === undefined) return false;
  void bodyOf(request).then((body) => {
    if (sha256(body) !== oid) return void response.writeHead(400).end();
    hub.uploads.stored.set(oid, body);
    response.writeHead(200).end();
  });
  return true;
}

function create({ hub, response, user, body }: Exchange): void {
  const { name, organization, visibility } = parse(body);
  const id = `${organization as string}/${name as string}`;
  if (organization !== user) return send(response, 403, { error: "You don't have the rights to create a model there" });
  if (hub.repositories.has(id)) return send(response, 409, { error: "You already created this model repo" });
  hub.repositories.set(id, { commits: { [emptyCommit]: {} }, refs: { main: emptyCommit } });
  hub.uploads.made[id] = (visibility as string | undefined) ?? "default";
  send(response, 200, { url: `${hub.url}/${id}`, id });
}

function branch({ hub, response }: Exchange, id: string, name: string): void {
  const { refs } = hub.repositories.get(id)!;
  if (Object.hasOwn(refs, name)) return send(response, 409, { error: "Reference already exists" });
  refs[name] = refs["main"];
  send(response, 200, {});
}

function preupload({ hub, response, body }: Exchange, id: string, revision: string): void {
  const repository = hub.repositories.get(id);
  if (repository?.refs[revision] === undefined) return send(response, 404, { error: "Not found" });
  const files = (parse(body)["files"] as { path: string }[]).map(({ path }) => ({
    path,
    uploadMode: isLarge(repository, path) ? "lfs" : "regular",
    shouldIgnore: false,
  }));
  send(response, 200, { files });
}

function batch({ hub, storage, response, body }: Exchange): void {
  const objects = (parse(body)["objects"] as { oid: string; size: number }[]).map(({ oid, size }) => ({
    oid,
    size,
    ...(hub.uploads.stored.has(oid) ? {} : { actions: { upload: { href: `${storage}/upload/${oid}` } } }),
  }));
  send(response, 200, { transfer: "basic", objects });
}

function commit({ hub, response, body }: Exchange, id: string, branchName: string, asPull: string): void {
  const repository = hub.repositories.get(id)!;
  const lines = body
    .toString()
    .split("\n")
    .map((line) => JSON.parse(line) as { key: string; value: Record<string, string> });
  const header = lines.find(({ key }) => key === "header")!.value;
  const files: Record<string, Uint8Array> = { ...repository.commits[repository.refs[branchName]] };
  const paths: string[] = [];
  for (const { key, value } of lines) {
    if (key === "file") files[value["path"]] = Buffer.from(value["content"], "base64");
    else if (key === "lfsFile") files[value["path"]] = hub.uploads.stored.get(value["oid"])!;
    else continue;
    paths.push(value["path"]);
  }
  const oid = createHash("sha1").update(body).digest("hex");
  const revision = asPull === "" ? branchName : `refs/pr/${hub.uploads.commits.length + 1}`;
  repository.commits[oid] = files;
  repository.refs[revision] = oid;
  hub.uploads.commits.push({
    repo: id,
    revision,
    title: header["summary"],
    description: header["description"] ?? "",
    paths: paths.sort(),
  });
  send(response, 200, { commitOid: oid, commitUrl: `${hub.url}/${id}/commit/${oid}`, hookOutput: "" });
}

const emptyCommit = "0".repeat(40);
const isLarge = ({ isLarge: own }: ServedRepository, path: string): boolean =>
  (own ?? ((file) => /\.(safetensors|bin)$/.test(file)))(path);
const parse = (body: Buffer): Json => JSON.parse(body.toString()) as Json;

function send(response: ServerResponse, status: number, json: Json): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(json));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
