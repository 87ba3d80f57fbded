import { readdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { BarkModel } from "../../bark/model.ts";
import { generateKwargs, readRuns } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { fileURLToPath } from "node:url";
import { BarkSemanticModel } from "../../bark/sub_models.ts";
import { engineErrorOf } from "../support/rejection.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What the process holds after everything that can be collected has been. */
interface Held {
  heap: number;
  arrays: number;
  /** Of Linux: files and threads. */
  handles: number;
  threads: number;
}

async function held(): Promise<Held> {
  // Finalizers run in a turn of their own, and free more.
  for (let i = 0; i < 6; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed: heap, arrayBuffers: arrays } = process.memoryUsage();
  const count = (folder: string): number => (process.platform === "linux" ? readdirSync(folder).length : 0);
  return { heap, arrays, handles: count("/proc/self/fd"), threads: count("/proc/self/task") };
}

/** Of heap and arrays: a leak of one object a wait was 3 KB a run. */
const mostBytes = 1000;
const windows = 3;

/**
 * Fails if `work`, done `times` times, leaves anything. What it leaves shows in every window of these; what the runtime
 * keeps for itself (compiled code, statistics of calls) comes in jumps, so that the smallest growth of a window counts.
 */
async function expectFlat(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times / windows; i++) await work();
  const before = await held();
  const growth = { heap: Infinity, arrays: Infinity };
  let last = before;
  for (let window = 0; window < windows; window++) {
    for (let i = 0; i < times / windows; i++) await work();
    const now = await held();
    for (const kind of ["heap", "arrays"] as const)
      growth[kind] = Math.min(growth[kind], ((now[kind] - last[kind]) * windows) / times);
    last = now;
  }
  expect(growth.heap, "bytes of heap a time").to.be.below(mostBytes);
  expect(growth.arrays, "bytes of arrays a time").to.be.below(mostBytes);
  expect(last.handles - before.handles, "open files").to.be.at.most(0);
  expect(last.threads - before.threads, "threads").to.be.at.most(0);
}

const noNotice = { onNotice: () => undefined };
const nano = fileURLToPath(new URL("../../models/nano", import.meta.url));

describe("memory of the host", function () {
  this.timeout(400_000);
  it("is flat over 150 generations, 150 forward passes with attentions and 100 runs that are stopped", async () => {
    const model = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), noNotice);
    const { runs } = await readRuns("odd");
    const kwargs = generateKwargs(runs[0], { semantic_max_new_tokens: 2 });
    await expectFlat(150, () => model.generate_output(kwargs));
    const forward = { input_ids: [[1, 2, 3]], output_attentions: true, output_hidden_states: true };
    await expectFlat(150, () => model.semantic.forward(forward));
    const { signal } = new AbortController();
    await expectFlat(60, () => model.generate_output({ ...kwargs, signal }));
    await expectFlat(100, async () => {
      const stop = new AbortController();
      const on_progress = ({ stage }: { stage: string }): void => {
        if (stage === "coarse") stop.abort();
      };
      await engineErrorOf(() => model.generate_output({ ...kwargs, signal: stop.signal, on_progress }));
    });
    const bytes = model.gpu.ledger.bytes;
    await model.generate_output(kwargs);
    expect(model.gpu.ledger.bytes).to.equal(bytes);
    model.dispose();
    expect(model.gpu.ledger.bytes).to.equal(0);
  });

  it("is flat over 40 models that are opened and disposed, and 40 that do not open", async () => {
    await expectFlat(40, async () => {
      const model = await BarkSemanticModel.from_pretrained(nano, noNotice);
      model.dispose();
    });
    await expectFlat(40, async () => {
      await engineErrorOf(() => BarkSemanticModel.from_pretrained(nano, { device: "no such adapter" }));
    });
  });
});
