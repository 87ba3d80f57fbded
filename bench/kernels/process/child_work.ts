import type { Job } from "./messages.ts";
import { work, type StartPeer } from "./work.ts";

/** Does the job that the parent process sends. A process without a parent ends. */
export function workOfChild(startPeer?: (job: Job) => StartPeer): void {
  process.on("disconnect", () => process.exit(1));
  process.once("message", (message) => {
    const job = message as Job;
    void work(job, (told) => process.send!(told), startPeer?.(job));
  });
}
