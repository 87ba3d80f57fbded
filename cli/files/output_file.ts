import { tmpdir } from "node:os";
import path from "node:path";
import { isatty } from "node:tty";
import { EngineError } from "../../engine/errors.ts";
import { checkWritable } from "../../checkpoint/node/atomic_file.ts";

/** A file that a command is to write. */
export interface OutputFile {
  /** As it was given. */
  readonly name: string;
  /** What to open. */
  readonly path: string;
  readonly isStandardOutput: boolean;
  /** Where the command writes its words: standard output, unless the bytes go there. */
  readonly report: NodeJS.WritableStream;
  /** Takes what waits to be written. */
  readonly folder: string;
  /** Equal for two names of one file. */
  readonly identity: string;
}

/**
 * Checks the output file before the run, which takes minutes.
 * @param endings that the file may have, in lower case, "" for none at all. Devices and pipes may have any name.
 * @throws EngineError `usage` for an invalid name or another ending, `io` without permission.
 */
export async function requireOutput(flag: string, name: string, endings: readonly string[]): Promise<OutputFile> {
  const where = `${flag} ${name}`.trimStart();
  const file = name === "-" ? "/dev/stdout" : name;
  const { descriptor, path: real, old } = await checkWritable(file, where);
  if (descriptor !== undefined && isatty(descriptor))
    throw new EngineError("usage", "a terminal cannot take a file", {
      where,
      fix: "give a file's name, or use a pipe",
    });
  const isFile = descriptor === undefined && (old === undefined || old.isFile());
  const ending = path.extname(name).toLowerCase();
  if (isFile && !endings.includes(ending)) {
    const kinds = endings.filter((known) => known !== "");
    throw new EngineError("usage", "does not have the ending of its format", {
      where,
      expected: kinds.join(" or "),
      actual: ending === "" ? "no ending" : ending,
      fix: `name it ${path.basename(name, path.extname(name))}${kinds[0]}`,
    });
  }
  const isStandardOutput = descriptor === 1;
  const report = isStandardOutput ? process.stderr : process.stdout;
  const folder = isFile && real !== undefined ? path.dirname(real) : tmpdir();
  return { name, path: file, isStandardOutput, report, folder, identity: real ?? `descriptor ${descriptor}` };
}
