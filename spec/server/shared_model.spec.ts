import { expect } from "chai";
import type { BarkOutput } from "../../bark/generate/output.ts";
import { endedAtOnce } from "../../bark/generate/row_output.ts";
import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { CohortSeeds } from "../../server/backend/cohort_seeds.ts";
import { FairQueue } from "../../server/backend/fair_queue.ts";
import { SharedModel, type RunReport } from "../../server/backend/shared_model.ts";
import type { SpeakingModel } from "../../speech/speak.ts";
import { engineErrorOf } from "../support/rejection.ts";

type Kwargs = Parameters<SpeakingModel["generate_stream"]>[0];

/** Says as many samples as the first id of a text; 0 is a text without speech. */
class CountingModel {
  readonly config = {};
  readonly generation_config = { semantic_config: { eos_token_id: 9 } };
  readonly runs: number[][] = [];
  open: () => void = () => undefined;
  isHeld = false;

  async generate_output({ input_ids, signal }: Kwargs): Promise<BarkOutput> {
    const ids = (input_ids as NdArray).tolist() as number[][];
    this.runs.push(ids.map(([id]) => id));
    if (this.isHeld) await new Promise<void>((resolve) => (this.open = resolve));
    else await new Promise((resolve) => setTimeout(resolve, 1));
    if (signal?.aborted === true) throw new EngineError("aborted", "stopped");
    const lengths = ids.map(([id]) => id);
    if (lengths.every((length) => length === 0)) throw endedAtOnce();
    const most = Math.max(...lengths);
    const rows = lengths.length;
    return {
      audio: new NdArray(new Float32Array(rows * most).fill(0.5), [rows, most]),
      output_lengths: lengths,
      semantic: lengths.map((length) => [length, 9]),
      coarse: lengths.map(() => new Array<number>(2 * most).fill(1)),
      coarse_lengths: lengths.map((length) => 2 * length),
      fine: new NdArray(new Int32Array(rows * 8 * most), [rows, 8, most]),
      milliseconds: { semantic: 1, coarse: 1, fine: 1, codec: 1 },
    };
  }

  async *generate_stream(kwargs: Kwargs): AsyncGenerator<Float32Array<ArrayBuffer>, BarkOutput> {
    const output = await this.generate_output(kwargs);
    for (const sample of output.audio.data) yield Float32Array.of(sample);
    return output;
  }
}

describe("one model for many clients", () => {
  const voice = {} as never;
  const call = (id: number, more: Partial<Kwargs> = {}): Kwargs => ({
    input_ids: new NdArray(Int32Array.of(id, 0), [1, 2]),
    attention_mask: new NdArray(Int32Array.of(1, 1), [1, 2]),
    history_prompt: voice,
    seed: 7n,
    ...more,
  });
  function share(batch: number): { model: CountingModel; shared: SharedModel; reports: RunReport[] } {
    const model = new CountingModel();
    const reports: RunReport[] = [];
    return { model, reports, shared: new SharedModel(model as never, batch, (run) => reports.push(run)) };
  }

  it("lets clients take turns, run by run", async () => {
    const { model, shared } = share(1);
    const [a, b, c] = ["a", "b", "c"].map((client) => shared.of(client));
    await Promise.all([
      ...[1, 2, 3, 4].map((id) => a.generate_output(call(id))),
      ...[11, 12].map((id) => b.generate_output(call(id))),
      c.generate_output(call(21)),
    ]);
    expect(model.runs.flat()).deep.equal([1, 11, 21, 2, 12, 3, 4]);
  });

  it("makes runs that wait and differ in their text alone at once, and gives each row what is its own", async () => {
    const { model, shared, reports } = share(4);
    const outputs = await Promise.all([1, 2, 3, 4, 5].map((id) => shared.of("a").generate_output(call(id))));
    expect(model.runs).deep.equal([[1, 2, 3, 4], [5]]);
    expect(outputs.map(({ audio }) => audio.shape)).deep.equal([1, 2, 3, 4, 5].map((n) => [1, n]));
    expect(outputs[2]).deep.include({ output_lengths: [3], semantic: [[3, 9]], coarse_lengths: [6] });
    expect(reports.map(({ rows, outputs: { length }, waited }) => [rows, length, waited.length])).deep.equal([
      [4, 4, 4],
      [1, 1, 1],
    ]);
  });

  it("keeps others apart: of another seed, setting or voice, with callbacks, and of low latency", async () => {
    const { model, shared } = share(8);
    const others: Partial<Kwargs>[] = [
      ...[{ seed: 8n }, { temperature: 0.5 }, { history_prompt: null }, { latency: "low" as const }],
      ...[{ logits_processor: [] }, { input_ids: new NdArray(Int32Array.of(6), [1, 1]) }],
    ];
    await Promise.all([{}, ...others, {}].map((more, i) => shared.of("a").generate_output(call(i + 1, more))));
    expect(model.runs[0]).deep.equal([1, 8]);
    expect(model.runs.slice(1).map(({ length }) => length)).deep.equal([1, 1, 1, 1, 1, 1]);
  });

  it("streams to a listener who takes his time without holding up the others", async () => {
    const { shared } = share(1);
    const slow = shared.of("slow").generate_stream(call(3));
    expect((await slow.next()).value).deep.equal(Float32Array.of(0.5));
    await shared.of("other").generate_output(call(2));
    const rest: unknown[] = [];
    for (let step = await slow.next(); step.done !== true; step = await slow.next()) rest.push(step.value);
    expect(rest).have.length(2);
    const { shared: joined, model } = share(2);
    const collect = async (id: number): Promise<number> => {
      let samples = 0;
      for await (const part of joined.of("a").generate_stream(call(id))) samples += part.length;
      return samples;
    };
    expect(await Promise.all([collect(3), collect(5)])).deep.equal([3, 5]);
    expect(model.runs).deep.equal([[3, 5]]);
  });

  it("speaks rows alone where one of them breaks off all, and tells one without speech so", async () => {
    const { model, shared } = share(3);
    const ask = (id: number): Promise<unknown> => shared.of("a").generate_output(call(id));
    const [, silent, loud] = await Promise.allSettled([ask(1), ask(0), ask(2)]);
    expect(silent).include({ status: "rejected" });
    expect(loud).include({ status: "fulfilled" });
    const both = await Promise.allSettled([ask(0), ask(0)]);
    expect(both.map(({ status }) => status)).deep.equal(["rejected", "rejected"]);
    expect(model.runs.slice(-3)).deep.equal([[0, 0], [0], [0]]);
  });

  it("forgets who stopped waiting, and stops a run once nobody waits for it", async () => {
    const { model, shared } = share(2);
    model.isHeld = true;
    const stops = [1, 2, 3].map(() => new AbortController());
    const asked = stops.map(({ signal }, i) =>
      engineErrorOf(() => shared.of("a").generate_output(call(i + 1, { signal }))),
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(model.runs).deep.equal([[1, 2]]);
    stops[2].abort();
    expect((await asked[2]).code).equal("aborted");
    stops[0].abort();
    expect((await asked[0]).code).equal("aborted");
    stops[1].abort();
    model.isHeld = false;
    model.open();
    expect((await asked[1]).code).equal("aborted");
    await shared.of("a").generate_output(call(4));
    expect(model.runs).deep.equal([[1, 2], [4]]);
    const stopped = AbortSignal.abort();
    expect((await engineErrorOf(() => shared.of("a").generate_output(call(5, { signal: stopped })))).code).equal(
      "aborted",
    );
    expect(model.runs).have.length(2);
  });
});

describe("the queue of a server", () => {
  it("takes one of each client in turn, and what goes with it", () => {
    const queue = new FairQueue<{ client: string; name: string }>();
    for (const name of ["a1", "a2", "a3", "b1", "b2", "c1"]) queue.add({ client: name[0], name });
    const take = (most: number, pattern = /./): string[] =>
      queue.take(most, (_, { name }) => pattern.test(name)).map(({ name }) => name);
    expect(take(1)).deep.equal(["a1"]);
    expect(take(2)).deep.equal(["b1", "c1"]);
    expect(take(2, /3/)).deep.equal(["a2", "a3"]);
    expect([take(5), take(5)]).deep.equal([["b2"], []]);
  });
});

describe("seeds of requests that ask for none", () => {
  it("are shared by as many as one run takes, but for the same text", () => {
    const seeds = new CohortSeeds(3);
    const [a, b, c, d] = ["a", "b", "c", "d"].map((text) => seeds.next(text));
    expect([a === b, b === c, c === d]).deep.equal([true, true, false]);
    expect(seeds.next("d") === d).equal(false);
  });
});
