/** The same work by other engines: `npm run bench:peers -- [WORK…]`. A package of its own, in the checkout alone. */
import "../../checkpoint/node/index.ts";
import "../../engine/node/index.ts";
import { runProcess } from "../../cli/process/run_process.ts";
import { benchPeers } from "./command.ts";

await runProcess(benchPeers);
