import { readFile } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { EngineError } from "../../engine/errors.ts";

/**
 * The text to say, from the arguments, else from `--file`, else from standard input.
 * @throws EngineError `usage` if there is none, or two; `bad-input` for a file that is missing or no UTF-8.
 */
export async function readText(
  words: readonly string[],
  file: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (words.length > 0 && file !== undefined)
    throw new EngineError("usage", "text is given both as arguments and by --file", { fix: "leave out one of them" });
  if (words.length === 0 && file === undefined && process.stdin.isTTY)
    throw new EngineError("usage", "no text given", { fix: 'for example: bark say "Hello"' });
  const text = words.length > 0 ? words.join(" ") : decode(await readBytes(file, signal), file ?? "standard input");
  if (text.trim() === "")
    throw new EngineError("usage", "the text is empty", {
      where: file ?? "TEXT",
      fix: 'for example: bark say "Hello"',
    });
  return text.trim();
}

async function readBytes(file: string | undefined, signal: AbortSignal): Promise<Uint8Array> {
  if (file === undefined) {
    const chunks: Buffer[] = [];
    for await (const chunk of addAbortSignal(signal, process.stdin)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
  try {
    return await readFile(file);
  } catch (cause) {
    throw new EngineError("bad-input", `the text cannot be read: ${(cause as Error).message.split(",")[0]}`, {
      where: file,
      cause,
    });
  }
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new EngineError("bad-input", "the text is not UTF-8", { where, fix: "save it as UTF-8", cause });
  }
}
