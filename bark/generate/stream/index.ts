/** What a stream needs and `generate` does not: a page loads it at its first stream. */
export { readStreamArguments, requireOneText } from "../options/stream_arguments.ts";
export { streamStages } from "./stream_run.ts";
