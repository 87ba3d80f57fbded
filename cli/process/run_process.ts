import { once } from "node:events";
import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { removeTemporaries, writeError } from "../../checkpoint/node/atomic_file.ts";
import { beforeDashes } from "../command_line.ts";
import { reportError } from "./exit_codes.ts";
import { Interrupt } from "./interrupt.ts";

/** Runs a subcommand with its arguments and gives the exit code. */
export type Command = (args: readonly string[], interrupt: Interrupt) => Promise<number>;

/** Runs a command with this process's arguments; ends the process once all its output has left. */
export async function runProcess(command: Command): Promise<never> {
  const given = process.argv.slice(2);
  const debug = beforeDashes(given).includes("--debug");
  if (debug) process.env["BARK_DEBUG"] = "1";
  const args = debug ? given.toSpliced(given.indexOf("--debug"), 1) : given;
  const interrupt = new Interrupt();
  process.on("exit", removeTemporaries);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // `bark inspect … | head` closes the pipe early: the reader has what it wants, and nobody is left to tell.
    if (error.code === "EPIPE") interrupt.exit(0);
    interrupt.exit(reportError(writeError("standard output", error), debug));
  });
  // A closed stderr loses the words, not the files.
  process.stderr.on("error", () => undefined);
  const code = await interrupt.guard(command(args, interrupt)).catch((error: unknown) => reportError(error, debug));
  const isInterrupted = once(interrupt.signal, "abort");
  // A pipe takes 64 KiB at a time, and an exit would not wait for the rest.
  await Promise.race([Promise.all([flush(process.stdout), flush(process.stderr)]), isInterrupted]);
  // An adapter's threads would keep the process alive.
  return interrupt.exit(code);
}

async function flush(stream: NodeJS.WriteStream): Promise<void> {
  // Files and terminals have it all, and a full disk refuses even no bytes: what it says comes before the next turn.
  if (!(stream instanceof Socket) || stream.writableLength === 0) return await setImmediate();
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
