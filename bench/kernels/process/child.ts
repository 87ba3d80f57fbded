/**
 * The process in which `bench kernels` measures. A kernel that does not end, or that ends the process, takes this one with
 * it, and the command goes on in another: a software adapter computes on this process's own threads, which nothing in it
 * can stop.
 */
import "../../../engine/node/index.ts";
import { EngineError } from "../../../engine/errors.ts";
import { openGpu } from "../../../engine/gpu.ts";
import { describeMachine } from "../../measure/machine.ts";
import { loadOwnKernels } from "../own/load_own.ts";
import { runKernels } from "../run_all.ts";
import type { Job, Told } from "./messages.ts";

/** Milliseconds between two signs of life: a batch may take less than a message. */
const pulse = 200;

process.on("disconnect", () => process.exit(1));
process.once("message", (job) => void work(job as Job));

async function work(job: Job): Promise<void> {
  try {
    await measure(job);
    tell({ kind: "done" });
  } catch (error) {
    const known = error instanceof EngineError;
    const line = known ? error.toLine() : String(error instanceof Error ? error.stack : error);
    tell({ kind: "error", code: known ? error.code : "internal", line });
  }
}

async function measure({ selection, device, own, resumed }: Job): Promise<void> {
  const kernels = own === undefined ? [] : await loadOwnKernels(own);
  const gpu = await openGpu(device === undefined ? {} : { device });
  if (selection.clock === "cpu" && !gpu.isSoftware)
    throw new EngineError("usage", "a GPU does not compute on the processor", {
      where: `--cpu: ${gpu.adapterName}`,
      fix: "leave it out",
    });
  if (resumed === undefined) tell({ kind: "machine", machine: describeMachine(gpu) });
  let told = 0;
  await runKernels(
    gpu,
    selection,
    {
      onRoofline: (roofline) => tell({ kind: "roofline", roofline }),
      onRung: ({ op, shape }, version, rung) => {
        const source = rung === undefined ? {} : { source: rung.kernel.source.href };
        tell({ kind: "rung", rung: { op, shape, version, ...source } });
      },
      onBatch: () => {
        if (performance.now() - told < pulse) return;
        told = performance.now();
        tell({ kind: "batch" });
      },
      onResult: (result) => tell({ kind: "result", result }),
    },
    { own: kernels, resumed },
  );
  gpu.dispose();
}

function tell(message: Told): void {
  process.send!(message);
}
