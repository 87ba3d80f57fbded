// How long the event loop was held up, every five seconds: locks are renewed on it.
import { monitorEventLoopDelay } from "node:perf_hooks";

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
setInterval(() => {
  process.stderr.write(`event loop: held up for ${Math.round(delay.max / 1e6)} ms\n`);
  delay.reset();
}, 5000).unref();
