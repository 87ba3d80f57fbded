import { splitCredentials } from "../address.ts";
import { EngineError } from "../../engine/errors.ts";
import { defaultEndpoint, defaultRevision, type HubOptions } from "./options.ts";

/** A model repository on a hub, at a revision. */
export interface Repository {
  /** `owner/name`. */
  readonly id: string;
  readonly revision: string;
  /** Without a slash at its end, and without user and password. */
  readonly endpoint: string;
  /** The header that the endpoint's user and password make. */
  readonly authorization?: string | undefined;
  /** A sentence on what else the text could have meant, such as a folder that is not there. */
  readonly aside?: string;
}

const idPattern = /^(\w[\w.-]{0,95}\/\w[\w.-]{0,95})(?:@(.+))?$/;
/** The part after the hub's own address in the address of a repository's page. */
const pagePattern = /^(\w[\w.-]{0,95}\/\w[\w.-]{0,95})(?:\/tree\/(.+?))?\/?$/;

/**
 * The repository that `owner/name` or `owner/name@revision` names, or the address of its page on the hub; undefined for a
 * text of any other form.
 * @throws EngineError `usage` for an invalid revision, or two of them.
 */
export function parseRepository(text: string, options: HubOptions = {}): Repository | undefined {
  const hub = parseEndpoint(options.endpoint ?? defaultEndpoint);
  const isPage = text.startsWith(`${hub.endpoint}/`);
  const [, id, inText] = (isPage ? pagePattern.exec(text.slice(hub.endpoint.length + 1)) : idPattern.exec(text)) ?? [];
  if (id === undefined || /\.\.|--|\.git$/.test(id)) return undefined;
  if (inText !== undefined && options.revision !== undefined && inText !== options.revision)
    throw new EngineError("usage", "two revisions are given", {
      where: text,
      actual: `${inText} and ${options.revision}`,
      fix: "leave out one of them",
    });
  const revision = inText ?? options.revision ?? defaultRevision;
  if (!isInnerPath(revision) || /[\s\p{Cc}~^:?*[\\]/u.test(revision))
    throw new EngineError("usage", "is not the name of a revision", {
      where: "revision",
      expected: "a branch, tag or commit",
      actual: revision,
    });
  return { id, revision, ...hub };
}

function parseEndpoint(text: string): Pick<Repository, "endpoint" | "authorization"> {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) {
    const { authorization } = splitCredentials(new URL(text));
    const endpoint = text.replace(/^(\w+:\/\/)[^/?#]*@/, "$1").replace(/\/+$/, "");
    return { endpoint, ...(authorization === undefined ? {} : { authorization }) };
  }
  throw new EngineError("usage", "is not the address of a hub", {
    where: "HF_ENDPOINT",
    expected: `an address such as ${defaultEndpoint}`,
    // A password may stand before the @.
    actual: text.replace(/^.*@/s, "***@"),
  });
}

/** The address of a file. The hub answers with it, or with a redirection to where it lies. */
export function fileUrl({ endpoint, id }: Repository, revision: string, path: string): string {
  // The hub takes the slash of `refs/pr/1` escaped only.
  return `${endpoint}/${id}/resolve/${encodeURIComponent(revision)}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/**
 * A path without its empty and `.` parts (`./a//b` is `a/b`).
 * @throws EngineError `bad-input` if it leaves the repository: paths come out of a checkpoint's own files.
 */
export function innerPath(name: string, path: string): string {
  const inner = path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
  if (!path.startsWith("/") && isInnerPath(inner)) return inner;
  throw new EngineError("bad-input", "a path leaves the checkpoint's folder", { where: name, actual: path });
}

/** A commit's full hash names the same files for ever; a branch moves. */
export function isCommitHash(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

function isInnerPath(path: string): boolean {
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..") && !/[\\\0]/.test(path);
}
