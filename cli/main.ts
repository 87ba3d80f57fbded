#!/usr/bin/env node
import "../checkpoint/node/index.ts";
import "../engine/node/index.ts";
import { EngineError } from "../engine/errors.ts";
import { didYouMean } from "../engine/check/nearest_name.ts";
import { beforeDashes } from "./command_line.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { print } from "./process/print.ts";
import { version } from "./process/version.ts";
import { runProcess, type Command } from "./process/run_process.ts";
import { usage } from "./usage.ts";

// Loaded when called, so that `say` does not wait for the imports of `doctor`.
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  say: async () => (await import("./say.ts")).say,
  book: async () => (await import("./book.ts")).book,
  serve: async () => (await import("./serve.ts")).serve,
  worker: async () => (await import("./worker.ts")).worker,
  convert: async () => (await import("./convert.ts")).convert,
  voices: async () => (await import("./voices.ts")).voices,
  codec: async () => (await import("./codec.ts")).codec,
  inspect: async () => (await import("./inspect.ts")).inspect,
  doctor: async () => (await import("./doctor.ts")).doctor,
  // The one import that points up: the command knows its subcommands, the library does not.
  bench: async () => (await import("../bench/cli.ts")).bench,
};

async function run(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(usage.bark);
    return 0;
  }
  if (name === "--version" || name === "-v" || name === "version") {
    print(await version());
    return 0;
  }
  const known = Object.keys(commands);
  const fix = `one of ${known.join(", ")}; or --help`;
  if (name === undefined) throw new EngineError("usage", "no command given", { fix });
  if (!Object.hasOwn(commands, name))
    throw new EngineError("usage", "no such command", { where: name, fix: didYouMean(name, known) ?? fix });
  if (name in usage && beforeDashes(rest).some((arg) => arg === "--help" || arg === "-h")) {
    process.stdout.write(usage[name as keyof typeof usage]);
    return 0;
  }
  const command = await commands[name]();
  return await command(rest, interrupt);
}

await runProcess(run);
