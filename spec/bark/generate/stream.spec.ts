import { expect } from "chai";
import { BarkModel } from "../../../bark/model.ts";
import type { BarkOutput, BarkProgress } from "../../../bark/generate/output.ts";
import type { BarkStreamKwargs } from "../../../bark/generate/options/stream_arguments.ts";
import { expectClose } from "../../support/close.ts";
import { fixtureCheckpoint } from "../../support/files/fixture_checkpoint.ts";
import { generateKwargs, readRuns, type FixtureRun } from "../../support/fixture.ts";
import { sharedGpu } from "../../support/gpu.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const { runs } = await readRuns("odd");
const runNamed = (name: string): FixtureRun => runs.find((run) => run.name === name)!;
const tolerance = { absolute: 1e-6 };

// A checkpoint of odd sizes: windows that do not divide each other, 4 of 6 codebooks predicted.
describe("generate_stream", () => {
  const notices: string[] = [];
  let model: BarkModel;
  before(async () => {
    model = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), {
      gpu: await sharedGpu(),
      onNotice: (line) => notices.push(line),
    });
  });
  after(() => model.dispose());

  async function heard(kwargs: BarkStreamKwargs): Promise<{ parts: Float32Array[]; output: BarkOutput }> {
    const stream = model.generate_stream(kwargs);
    const parts: Float32Array[] = [];
    for (;;) {
      const { done, value } = await stream.next();
      if (done === true) return { parts, output: value };
      parts.push(value);
    }
  }

  /** The audio of this random checkpoint is loud. */
  const relative = ({ audio }: BarkOutput) => ({
    absolute: tolerance.absolute * audio.data.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1),
  });

  const sampled = { do_sample: true, temperature: 0.9, top_k: 40, fine_temperature: 0.7 };
  for (const name of ["plain", "history", "short_odd_history", "one_token_history", "long_history", "no_mask"])
    for (const [how, options] of Object.entries({
      greedy: {},
      "seed 3": { ...sampled, seed: 3 },
      "seed 4": { ...sampled, seed: 4 },
    }))
      it(`makes the tokens of generate: ${name}, ${how}`, async () => {
        const kwargs = { ...generateKwargs(runNamed(name)), ...options };
        const whole = await model.generate_output(kwargs);
        const { parts, output } = await heard({ ...kwargs, tokens_per_readback: 5 });
        expect(output.semantic).deep.equal(whole.semantic);
        expect(output.coarse).deep.equal(whole.coarse);
        expect(output.coarse_lengths).deep.equal(whole.coarse_lengths);
        expect(output.fine.tolist()).deep.equal(whole.fine.tolist());
        expectClose(output.audio.data, whole.audio.data, relative(whole), "audio");
        expect(parts.flatMap((part) => [...part])).deep.equal([...output.audio.data]);
      });

  it("begins a coarse window with the first semantic tokens that suffice, and gives out frames before the last", async () => {
    const run = runNamed("history");
    const events: BarkProgress[] = [];
    const stream = model.generate_stream({
      ...generateKwargs(run),
      tokens_per_readback: 1,
      on_progress: (event) => void events.push(event),
    });
    const first = await stream.next();
    expect(first.value).property("length").above(0);
    const { sliding_window_len, max_coarse_input_length, max_coarse_history } =
      model.generation_config.coarse_acoustics_config;
    const total = run.coarse[0].length;
    expect(events.filter(({ stage }) => stage === "coarse").at(-1)!.done).below(total);
    while ((await stream.next()).done !== true);

    const ratio = (75 / 51.3) * 2;
    const lookahead = max_coarse_input_length - Math.floor(max_coarse_history / ratio);
    let semantic = 0;
    for (const [i, { stage, done }] of events.entries()) {
      if (stage === "semantic") semantic = done;
      const begins = stage === "coarse" && done % sliding_window_len === 0 && events[i - 1].stage !== "coarse";
      if (!begins || done + sliding_window_len > total) continue;
      // As many as the window can see, and as many as make it a full one.
      const seen = Math.round(done / ratio) + lookahead;
      const full = Math.ceil((done + sliding_window_len) / ratio);
      expect(semantic - Math.max(seen, full), `window at ${done}`).within(0, 1);
    }
    // The first windows began before the speech had ended.
    const began = events.findIndex(({ stage }) => stage === "coarse");
    expect(events.slice(began).some(({ stage }) => stage === "semantic")).equal(true);
  });

  for (const lookahead of [0, 5, 100])
    it(`low, ${lookahead} frames ahead: the same coarse codes, sound of the codes that are answered`, async () => {
      const kwargs = { ...generateKwargs(runNamed("history")), ...sampled, seed: 5 };
      const whole = await model.generate_output(kwargs);
      const { parts, output } = await heard({ ...kwargs, latency: "low", lookahead });
      expect([output.semantic, output.coarse]).deep.equal([whole.semantic, whole.coarse]);
      expect(output.fine.shape).deep.equal(whole.fine.shape);
      const audio = await model.codec_decode(output.fine);
      expectClose(output.audio.data, audio.data, relative(whole), "audio");
      const hop = model.config.codec_config.hop_length;
      const isWhole = lookahead === 100;
      // 13 frames come with a coarse window: 39 are the first that leave 30 behind, whatever follows.
      if (!isWhole) expect(parts[0].length / hop).within(30, 30 + 13);
      if (isWhole) expect(output.fine.tolist()).deep.equal(whole.fine.tolist());
      else expect(output.fine.tolist()).not.deep.equal(whole.fine.tolist());
    });

  it("one sub-model on the GPU at a time: says so, and gives the sound of generate at once", async () => {
    const small = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), {
      gpu: await sharedGpu(),
      low_memory: true,
      onNotice: (line) => notices.push(line),
    });
    const kwargs = generateKwargs(runNamed("no_mask"));
    const parts: Float32Array[] = [];
    for await (const part of small.generate_stream(kwargs)) parts.push(part);
    expect(parts).have.length(1);
    expect(parts[0]).deep.equal((await small.generate_output(kwargs)).audio.data);
    expect(notices.join()).match(/one sub-model .* at a time/);
    small.dispose();
  });

  it("searches on the host give all at once, the same", async () => {
    const kwargs = { ...generateKwargs(runNamed("no_mask")), semantic_num_beams: 2, coarse_repetition_penalty: 1.1 };
    const whole = await model.generate_output(kwargs);
    const { output } = await heard(kwargs);
    expect([output.semantic, output.coarse]).deep.equal([whole.semantic, whole.coarse]);
  });

  it("submits nothing before it is asked, and nothing once the listener has gone", async () => {
    const gpu = await sharedGpu();
    const stop = new AbortController();
    const stream = model.generate_stream({ ...generateKwargs(runNamed("history")), signal: stop.signal });
    const { submits } = gpu.counters;
    await gpu.idle();
    expect(gpu.counters.submits).equal(submits);
    const bytes = gpu.ledger.bytes;
    await stream.next();
    expect(gpu.counters.submits).above(submits);
    await stream.return(undefined as never);
    const after = gpu.counters.submits;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(gpu.counters.submits).equal(after);
    expect(gpu.ledger.bytes).equal(bytes);

    const other = model.generate_stream({ ...generateKwargs(runNamed("history")), signal: stop.signal });
    await other.next();
    stop.abort();
    expect((await engineErrorOf(() => other.next())).code).equal("aborted");
    expect(gpu.ledger.bytes).equal(bytes);
  });

  it("refuses what a stream cannot follow", async () => {
    const kwargs = generateKwargs(runNamed("batch"));
    for (const [given, where] of [
      [kwargs, "input_ids"],
      [{ ...generateKwargs(runNamed("plain")), lookahead: 10 }, "lookahead"],
      [{ ...generateKwargs(runNamed("plain")), latency: "lowest" }, "latency"],
      [{ ...generateKwargs(runNamed("plain")), return_output_lengths: true }, "return_output_lengths"],
      [
        { ...generateKwargs(runNamed("plain")), do_sample: true, semantic_num_return_sequences: 2 },
        "num_return_sequences",
      ],
    ] as const) {
      const error = await engineErrorOf(() => model.generate_stream(given as BarkStreamKwargs).next());
      expect([error.code, error.where]).deep.equal(["usage", where]);
    }
  });
});
