/**
 * One contender with one work in a process of its own: `worker.ts CONTENDER WORK FOLDER [DEVICE]`, WORK as JSON. It says
 * that it is ready, then does the work once for every line on standard input. Its lines begin with `@`: libraries print too.
 */
import "../../checkpoint/node/index.ts";
import "../../engine/node/index.ts";
import { createInterface } from "node:readline";
import { contenders, type ContenderName } from "./engines/contenders.ts";
import { sampleValues, type ReadyMessage, type RunMessage } from "./contender.ts";
import type { Work } from "../measure/work.ts";

function send(message: ReadyMessage | RunMessage | { error: string }): void {
  process.stdout.write(`@${JSON.stringify(message)}\n`);
}

async function main(): Promise<void> {
  const [name, work, folder, device] = process.argv.slice(2);
  const contender = contenders[name as ContenderName];
  const began = performance.now();
  const prepare = await contender.load();
  const { device: computedBy, run } = await prepare(JSON.parse(work) as Work, folder, device);
  const loaded = performance.now();
  const sample = sampleValues(await run());
  const first = performance.now() - loaded;
  send({ device: computedBy, version: await contender.version(folder), load: loaded - began, first, sample });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== "run") break;
    const start = performance.now();
    await run();
    send({ milliseconds: performance.now() - start });
  }
}

await main().catch((error: unknown) => {
  send({ error: error instanceof Error ? error.message.split("\n")[0] : String(error) });
});
process.exit(0);
