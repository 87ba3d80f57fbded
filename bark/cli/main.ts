#!/usr/bin/env node
import "../../engine/node/index.ts";
import { EngineError } from "../../engine/errors.ts";
import { reportError } from "./exit_codes.ts";
import { Interrupt } from "./interrupt.ts";
import { usage } from "./usage.ts";

/** Runs a subcommand with its arguments and gives the exit code. */
export type Command = (args: readonly string[], interrupt: Interrupt) => Promise<number>;

// Loaded when called, so that `say` does not wait for what only `doctor` needs.
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  say: async () => (await import("./say.ts")).say,
  convert: async () => (await import("./convert.ts")).convert,
  voices: async () => (await import("./voices.ts")).voices,
  codec: async () => (await import("./codec.ts")).codec,
  inspect: async () => (await import("./inspect.ts")).inspect,
  doctor: async () => (await import("./doctor.ts")).doctor,
  // The one import that points up: the command knows its subcommands, the library does not.
  bench: async () => (await import("../../bench/cli.ts")).bench,
};

async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(usage.bark);
    return 0;
  }
  const known = Object.keys(commands).join(", ");
  if (name === undefined) throw new EngineError("usage", "no command given", { fix: `one of ${known}; or --help` });
  if (!Object.hasOwn(commands, name))
    throw new EngineError("usage", "no such command", { where: name, fix: `one of ${known}; or --help` });
  if (name in usage && beforeDashes(rest).some((arg) => arg === "--help" || arg === "-h")) {
    process.stdout.write(usage[name as keyof typeof usage]);
    return 0;
  }
  const interrupt = new Interrupt();
  // Loading is guarded too: what compiles the sources gets the Ctrl-C as well, and fails by it.
  return await interrupt.guard(commands[name]().then((command) => command(rest, interrupt)));
}

/** Flags end at `--`; what follows is text. */
function beforeDashes(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

// `bark inspect … | head` closes the pipe early: the reader has what it wants, and nobody is left to tell.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

const given = process.argv.slice(2);
const debug = beforeDashes(given).includes("--debug");
const code = await run(debug ? given.toSpliced(given.indexOf("--debug"), 1) : given).catch((error: unknown) =>
  reportError(error, debug),
);
// An adapter's threads would keep the process alive.
process.exit(code);
