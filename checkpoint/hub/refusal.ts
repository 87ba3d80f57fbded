import { EngineError } from "../../engine/errors.ts";
import type { Repository } from "./repository.ts";
import type { HttpAnswer } from "./request.ts";
import { TransientFault } from "./retry.ts";

/** What to throw when the hub does not give a file. The hub names the reason in `X-Error-Code`. */
export function refusal(answer: HttpAnswer, repository: Repository, file: string, hasToken: boolean): Error {
  const { id, endpoint, revision, aside } = repository;
  const code = answer.last("x-error-code") ?? "";
  const { status } = answer;
  const fail = (message: string, fix: string): EngineError =>
    new EngineError("bad-input", message, { where: id, actual: `HTTP status ${status} from ${endpoint}`, fix });
  if (status === 408 || status === 429 || status >= 500)
    return new TransientFault(busy(answer, id), { wait: answer.retryAfter });
  if (code === "GatedRepo")
    return fail(
      hasToken ? "the repository is gated, and your token does not open it" : "the repository is gated",
      `accept its terms at ${endpoint}/${id}` + (hasToken ? "" : ", and put an access token into HF_TOKEN"),
    );
  if (code === "RevisionNotFound")
    return fail(`the repository has no revision ${revision}`, "give a branch, a tag or a commit of it");
  // The hub answers 401 for a missing repository, too: it hides which private ones exist.
  if (code === "RepoNotFound" || status === 401)
    return fail(
      (aside === undefined ? "" : `${aside}, and on the hub `) +
        (hasToken
          ? "there is no such repository, or your token does not open it"
          : "there is no such repository, or it is private"),
      hasToken
        ? `check the name and HF_TOKEN (of a folder give the path: ./${id})`
        : `check the name (of a folder give the path: ./${id}); a private one needs an access token in HF_TOKEN`,
    );
  if (status === 403)
    return fail(
      "access to the repository is forbidden",
      hasToken ? "check HF_TOKEN" : "put an access token into HF_TOKEN",
    );
  if (status === 404) return fail(`no such repository, revision or file (${revision}, ${file})`, "check the name");
  return new EngineError("io", `HTTP status ${status}`, { where: `${endpoint}/${id}: ${file}` });
}

function busy(answer: HttpAnswer, where: string): EngineError {
  const message = answer.status === 429 ? "the hub gets too many requests from here" : "the hub is out of order";
  const fix = answer.status === 429 ? "try again later, or put an access token into HF_TOKEN" : "try again later";
  return new EngineError("io", message, { where, actual: `HTTP status ${answer.status}`, fix });
}
