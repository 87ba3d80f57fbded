/** The benches by themselves, without the command that knows them: `npx tsx bench/main.ts kernels matmul`. */
import "../engine/node/index.ts";
import { reportError } from "../bark/cli/exit_codes.ts";
import { bench } from "./cli.ts";

// An adapter's threads would keep the process alive.
process.exit(await bench(process.argv.slice(2)).catch((error: unknown) => reportError(error, false)));
