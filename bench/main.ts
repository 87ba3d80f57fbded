/** The benches by themselves, without the command that knows them: `npx tsx bench/main.ts kernels matmul`. */
import "../checkpoint/node/index.ts";
import "../engine/node/index.ts";
import { runProcess } from "../cli/process/run_process.ts";
import { bench } from "./cli.ts";

await runProcess(bench);
