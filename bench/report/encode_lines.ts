import type { EncodeReport } from "./reports.ts";

/** What `bench encode` prints and RESULTS.md tells: a step, and the part of it that no engine can leave out. */
export function encodeLines({ dispatches, stepsPerSubmit, milliseconds, microsecondsOfCalls }: EncodeReport): string[] {
  const { median, lowerQuartile, upperQuartile } = milliseconds;
  const { pipeline, bindGroup, dispatch } = microsecondsOfCalls;
  const bare = (dispatches * (pipeline + bindGroup + dispatch)) / 1000;
  const [first, second, third] = [pipeline, bindGroup, dispatch].map((call) => call.toFixed(2));
  return [
    `${dispatches} ${dispatches === 1 ? "dispatch" : "dispatches"} a step, ${stepsPerSubmit} steps a submit: ` +
      `${median.toFixed(3)} ms a step (quartiles ${lowerQuartile.toFixed(3)} to ${upperQuartile.toFixed(3)})`,
    `of it the runtime's own calls: ${bare.toFixed(3)} ms; of one dispatch setPipeline ${first} µs, setBindGroup ${second} µs, ` +
      `dispatchWorkgroups ${third} µs`,
  ];
}
