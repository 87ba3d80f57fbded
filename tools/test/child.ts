import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { MochaRun, parseEvent, type Outcome } from "./report.ts";

export interface ChildResult {
  code: number | null;
  output: string;
  /** How it ended, for people. */
  exit: string;
}

export interface ChildOptions {
  env?: Record<string, string>;
  /** Takes a line of standard output; true if it has used the line, which is then not kept. */
  onLine?: (line: string) => boolean;
}

/** Runs a script in this Node and collects its output, standard error included. */
export async function runNode(args: string[], options: ChildOptions = {}): Promise<ChildResult> {
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, FORCE_COLOR: undefined, NO_COLOR: "1", ...options.env },
  });
  const kept: string[] = [];
  const collect = async (stream: NodeJS.ReadableStream, onLine?: (line: string) => boolean) => {
    for await (const line of createInterface({ input: stream })) if (!onLine?.(line)) kept.push(line);
  };
  const ended = new Promise<{ code: number | null; exit: string }>((resolve) => {
    child.on("error", (error) => resolve({ code: null, exit: error.message }));
    child.on("close", (code, signal) => resolve({ code, exit: signal ?? `exit code ${code}` }));
  });
  await Promise.all([collect(child.stdout, options.onLine), collect(child.stderr)]);
  return { ...(await ended), output: kept.join("\n") };
}

/** Runs mocha by the given command line and counts its tests. */
export async function runMocha(runtime: string, args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const run = new MochaRun(runtime);
  const onLine = (line: string) => {
    const event = parseEvent(line);
    if (event !== undefined) run.add(event);
    return event !== undefined;
  };
  const { exit, code, output } = await runNode(args, { env, onLine });
  const { failed } = run.finish(`${exit}\n${output}`);
  // Mocha's exit code is the number of failures; anything else is a fault without an event.
  if (code !== 0 && failed === 0) run.fail("(the run)", `${exit}\n${output}`);
  return run.outcome;
}
