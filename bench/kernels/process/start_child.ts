import { fork } from "node:child_process";
import { runtimeName } from "../../measure/machine.ts";
// Part of the build although it is started, never imported.
import type {} from "./child.ts";
import type { Start, Told } from "./messages.ts";

/** Measures in a process of this runtime. */
export const startChild: Start = startModule(new URL("./child", import.meta.url));

/** Measures in a process that runs a module. @param module without its ending. */
export function startModule(module: URL): Start {
  return (job, hear, gone) => {
    const isSource = import.meta.url.endsWith(".ts");
    const child = fork(new URL(`${module.href}${isSource ? ".ts" : ".js"}`), [], {
      // Of a kernel's module, standard output would mix with the table.
      stdio: ["ignore", 2, 2, "ipc"],
      ...(isSource && !("Deno" in globalThis) ? { execArgv: ["--import", import.meta.resolve("tsx")] } : {}),
    });
    child.on("error", (error) => gone(error.message));
    child.on("exit", (code, killedBy) => gone(killedBy ?? `exit code ${code}`));
    child.on("message", (message) => hear(message as Told));
    child.send(job);
    return Promise.resolve({
      runtime: runtimeName(),
      end: () => {
        child.kill("SIGKILL");
        return Promise.resolve();
      },
    });
  };
}
