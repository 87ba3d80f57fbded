/**
 * Counts what drivers make of every version into `bench/explained.json`, from which the pages of docs/kernels/ops are made:
 * `npx tsx bench/report/explain_all.ts`, with lavapipe as the default adapter. Takes minutes.
 */
import "../../engine/node/index.ts";
import { writeFile } from "node:fs/promises";
import { explain } from "../explain/command.ts";
import { knownNames } from "../explain/job.ts";
import type { Explained } from "./explained.ts";

const explained: Explained = {};
for (const [name, { op, version }] of knownNames()) {
  try {
    const { adapter, kernels } = await explain({ op, version, shape: "", format: "f32", device: undefined });
    const counted = kernels.map(({ kernel, stages }) => ({
      kernel,
      stages: stages.map(({ name, counts }) => ({ name, counts })),
    }));
    explained[name] = { adapter, kernels: counted };
    console.error(name);
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
await writeFile(new URL("../explained.json", import.meta.url), `${JSON.stringify(explained, undefined, 2)}\n`);
