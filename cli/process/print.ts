import { printable } from "../../engine/errors.ts";

/** A line of results, on standard output unless a file goes there; without control characters, which files may hold. */
export function print(line: string, stream: NodeJS.WritableStream = process.stdout): void {
  stream.write(`${printable(line)}\n`);
}

/** A value as one line of JSON without control characters. */
export function printJson(value: unknown, stream: NodeJS.WritableStream = process.stdout): void {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  stream.write(`${JSON.stringify(value).replaceAll(/[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu, escaped)}\n`);
}

/** A line of words about the run. */
export function note(line: string): void {
  print(`bark: ${line}`, process.stderr);
}
