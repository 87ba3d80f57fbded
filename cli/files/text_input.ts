import { constants, createReadStream, openSync } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import { addAbortSignal, type Readable } from "node:stream";
import { EngineError } from "../../engine/errors.ts";
import { readLexicon, type Lexicon } from "../../speech/normalize/lexicon.ts";
import { follow } from "../../checkpoint/node/follow.ts";

/** No book comes near this; `yes | bark say` does. */
const maxTextBytes = 1 << 26;

/**
 * The text to say, from the arguments, else from `--file`, else from standard input.
 * @throws EngineError `usage` if there is no text, or two; `bad-input` for a file that is missing or not UTF-8.
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

/** A lexicon of a file: {@link readLexicon}. @throws EngineError `bad-input`. */
export async function readLexiconFile(file: string): Promise<Lexicon> {
  return readLexicon(decode(await readBytes(file, new AbortController().signal), file), file);
}

async function readBytes(file: string | undefined, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    const stream = file === undefined ? process.stdin : await openText(file);
    for await (const chunk of addAbortSignal(signal, stream)) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > maxTextBytes) break;
    }
  } catch (cause) {
    throw new EngineError("bad-input", `the text cannot be read: ${(cause as Error).message.split(",")[0]}`, {
      where: file ?? "standard input",
      cause,
    });
  }
  if (size <= maxTextBytes) return Buffer.concat(chunks);
  throw new EngineError("bad-input", "is too long for a text", {
    where: file ?? "standard input",
    expected: `at most ${maxTextBytes} bytes`,
    actual: "more",
  });
}

/** Opens a file, a pipe or a descriptor (`<(…)` of a shell) so that it cannot keep the process from ending. */
async function openText(file: string): Promise<Readable> {
  const { descriptor } = await follow(file);
  if (descriptor === 0) return process.stdin;
  const found = await stat(file);
  if (!found.isFIFO() && !found.isSocket()) return createReadStream(file);
  // Nonblocking: opening a pipe would wait for its other end and could not be stopped.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  return new Socket({ fd: descriptor ?? openSync(file, flags), readable: true, writable: false });
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new EngineError("bad-input", "the text is not UTF-8", { where, fix: "save it as UTF-8", cause });
  }
}
