import { EngineError } from "../../../engine/errors.ts";
import { openGpu } from "../../../engine/gpu.ts";
import { describeAdapter } from "../../measure/adapter.ts";
import { firstLoop } from "../own/failure.ts";
import { loadOwn } from "../own/load_own.ts";
import type { PeerEngine } from "../peer.ts";
import { leftOut, runKernels } from "../run_all.ts";
import type { Job, Told } from "./messages.ts";

/** Milliseconds between two signs of life: a batch may take less than a message. */
const pulse = 200;

/** Starts another engine by its name. */
export type StartPeer = (name: string) => Promise<PeerEngine>;

/** Measures, and tells how it goes. @param startPeer starts another engine, whose kernels are the last rungs. */
export async function work(job: Job, tell: (told: Told) => void, startPeer?: StartPeer): Promise<void> {
  try {
    await measure(job, tell, startPeer);
    tell({ kind: "done" });
  } catch (error) {
    const known = error instanceof EngineError;
    const line = known ? error.toLine() : String(error instanceof Error ? error.stack : error);
    tell({ kind: "error", code: known ? error.code : "internal", line });
  }
}

async function measure(
  { selection, device, own: files, peers: names = [], resumed }: Job,
  tell: (told: Told) => void,
  startPeer?: StartPeer,
): Promise<void> {
  const own = await loadOwn(files);
  const gpu = await openGpu(device === undefined ? {} : { device });
  if (selection.clock === "cpu" && !gpu.isSoftware)
    throw new EngineError("usage", "a GPU does not compute on the processor", {
      where: `--cpu: ${gpu.adapterName}`,
      fix: "leave it out",
    });
  tell({ kind: "adapter", adapter: describeAdapter(gpu) });
  for (const line of leftOut(gpu, selection.ops)) tell({ kind: "note", line });
  const peers: PeerEngine[] = [];
  for (const name of startPeer === undefined ? [] : names)
    try {
      peers.push(await startPeer!(name));
    } catch (error) {
      tell({ kind: "note", line: `${name}: no figure: ${(error as Error).message.split("\n")[0]}` });
    }
  let told = 0;
  await runKernels(
    gpu,
    selection,
    {
      onRoofline: (roofline) => tell({ kind: "roofline", roofline }),
      onRung: async ({ op, shape }, version, rung) => {
        const loops = rung === undefined ? {} : { loops: await firstLoop(rung.kernel.source) };
        tell({ kind: "rung", rung: { op, shape, version, ...loops } });
      },
      onBatch: () => {
        if (performance.now() - told < pulse) return;
        told = performance.now();
        tell({ kind: "batch" });
      },
      onResult: (result) => tell({ kind: "result", result }),
    },
    { own, peers, resumed },
  );
  gpu.dispose();
}
