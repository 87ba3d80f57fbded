import { EngineError } from "../errors.ts";

/** The text of a file of this package (a shader) at an address. @throws EngineError `io`. */
export async function fetchText(url: URL): Promise<string> {
  const where = `${url.origin}${url.pathname}`; // A query or a password may hold a secret.
  const fix = "serve the package's files beside its modules";
  try {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`the server answers with status ${answer.status}`);
    const text = await answer.text();
    // Servers of single-page applications send their page for every unknown address.
    if (/^\s*<(!doctype|html)/i.test(text)) throw new Error("the server sends an HTML page in its place");
    return text;
  } catch (cause) {
    throw new EngineError("io", (cause as Error).message, { where, fix, cause });
  }
}
