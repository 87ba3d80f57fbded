import { expect } from "chai";
import { EncodecModel } from "../../bark/encodec_model.ts";
import { BarkModel } from "../../bark/model.ts";
import type { BarkGenerateKwargs } from "../../bark/generate/options/generate_arguments.ts";
import { BarkFineModel, BarkSemanticModel } from "../../bark/sub_models.ts";
import { EngineError } from "../../engine/errors.ts";
import { openGpu, type Gpu } from "../../engine/gpu.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { expectParity, generateKwargs, readRuns, type FixtureRun } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { openRepositoryStore } from "../support/runtime.ts";

const noNotice = { onNotice: () => undefined };

describe("lifetimes", () => {
  let gpu: Gpu;
  let run: FixtureRun;
  before(async () => {
    gpu = await sharedGpu();
    const { runs } = await readRuns("odd");
    run = runs.find(({ name }) => name === "history")!;
  });
  const load = async (options: object = {}): Promise<BarkModel> =>
    await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), { gpu, ...noNotice, ...options });

  describe("an allocation that the adapter refuses", () => {
    /** Every public call, with what it needs before. */
    const calls: Record<string, () => Promise<{ call: () => Promise<unknown>; close?: () => void }>> = {
      "BarkModel.from_pretrained": async () => ({ call: async () => (await load()).dispose() }),
      "BarkModel.generate": async () => withModel((model) => model.generate_output(shortRun())),
      "BarkModel.generate, a part at a time": async () =>
        withModel((model) => model.generate_output(shortRun()), { low_memory: true }),
      "BarkModel.codec_decode": async () => withModel((model) => model.codec_decode(codes())),
      "EncodecModel.encode": async () => {
        const model = await EncodecModel.from_pretrained(await openRepositoryStore("models/nano"), { gpu });
        return { call: () => model.encode(new Float32Array(640)), close: () => model.dispose() };
      },
      "EncodecModel.decode": async () => withModel(({ codec_model }) => codec_model.decode(codes())),
      "BarkSemanticModel.forward": async () =>
        withModel(({ semantic }) =>
          semantic.forward({ input_ids: [[1, 2, 900]], attention_mask: [[0, 1, 1]], ...all }),
        ),
      "BarkCoarseModel.forward": async () =>
        withModel(({ coarse_acoustics }) => coarse_acoustics.forward({ input_ids: [[1, 2, 3]], ...all })),
      "BarkFineModel.forward": async () =>
        withModel(({ fine_acoustics: fine }) =>
          fine.forward({ codebook_idx: 2, input_ids: [[[1, 2, 3, 4, 5, 6]]], ...all }),
        ),
      "BarkSemanticModel.from_pretrained": async () => ({
        call: async () => (await BarkSemanticModel.from_pretrained(await fixtureCheckpoint("odd"), { gpu })).dispose(),
      }),
      "BarkFineModel.from_pretrained": async () => ({
        call: async () => (await BarkFineModel.from_pretrained(await fixtureCheckpoint("odd"), { gpu })).dispose(),
      }),
      "EncodecModel.from_pretrained and encode": async () => ({
        call: async () => {
          const model = await EncodecModel.from_pretrained(await openRepositoryStore("models/nano"), { gpu });
          await model.encode(new Float32Array(640)).finally(() => model.dispose());
        },
      }),
    };
    const shortRun = (): BarkGenerateKwargs => generateKwargs(run, { semantic_max_new_tokens: 2 });
    const all = { output_hidden_states: true, output_attentions: true } as const;
    const codes = (): NdArray => new NdArray(new Int32Array(12), [1, 6, 2]);

    async function withModel(use: (model: BarkModel) => Promise<unknown>, options: object = {}) {
      const model = await load(options);
      return { call: () => use(model), close: () => model.dispose() };
    }

    for (const [name, prepare] of Object.entries(calls))
      it(`leaves nothing of ${name}, whichever it is`, async () => {
        const { call, close } = await prepare();
        // What is read on demand is there from now on, and what a voice begins with from its second use.
        for (let use = 0; use < 2; use++) await call();
        const before = new Map(gpu.ledger.byLabel());
        const total = await withRefusal(Infinity, call);
        expect(gpu.ledger.byLabel()).to.deep.equal(before);
        expect(total).to.be.above(2);
        // Every one in Node; the others run the same code, at a third of the speed.
        for (let nth = 1; nth <= total; nth += gpu.runtime === "node" ? 1 : 20) {
          await withRefusal(nth, async () => {
            expect((await engineErrorOf(call)).problem, `allocation ${nth} of ${total}`).to.equal(
              "refused by the test",
            );
          });
          expect(gpu.ledger.byLabel(), `allocation ${nth} of ${total}`).to.deep.equal(before);
        }
        close?.();
      });

    /** Does `work` on a device that refuses the `nth` buffer. @returns how many were asked for. */
    async function withRefusal(nth: number, work: () => Promise<unknown>): Promise<number> {
      const createBuffer = gpu.createBuffer.bind(gpu);
      let count = 0;
      gpu.createBuffer = (...args) => {
        if (++count === nth) throw new EngineError("limit", "refused by the test");
        return createBuffer(...args);
      };
      try {
        await work();
        return count;
      } finally {
        delete (gpu as { createBuffer?: unknown }).createBuffer;
      }
    }
  });

  describe("a model that is disposed while it runs", () => {
    for (const stage of ["semantic", "coarse", "fine"] as const)
      it(`ends with usage in ${stage}, and leaves others on its device alone`, async () => {
        const before = gpu.ledger.bytes;
        const other = await load();
        const doomed = await load();
        const running = expectParity(other, "odd", run);
        const on_progress = (progress: { stage: string }): void => {
          if (progress.stage === stage) doomed.dispose();
        };
        const error = await engineErrorOf(() => doomed.generate_output({ ...generateKwargs(run), on_progress }));
        expect(error).to.include({ code: "usage", problem: "the model was disposed" });
        await running;
        await expectParity(other, "odd", run);
        other.dispose();
        expect(gpu.ledger.bytes).to.equal(before);
      });

    it("ends with usage on a device of its own, and frees that", async () => {
      const model = await load({ gpu: undefined });
      const running = engineErrorOf(() =>
        model.generate_output({ ...generateKwargs(run), on_progress: () => setTimeout(() => model.dispose(), 1) }),
      );
      expect(await running).to.include({ code: "usage", problem: "the model was disposed" });
      expect(model.gpu.ledger.bytes).to.equal(0);
      expect((await engineErrorOf(() => model.generate_output(generateKwargs(run)))).code).to.equal("usage");
    });
  });

  it("an error of WebGPU belongs to the submit that made it", async () => {
    const [x, y] = [gpu.tensor("f32", [4], "x"), gpu.tensor("f32", [4], "y")];
    const wrong = gpu.program("wrong");
    wrong.copy(x, 0, y, 0, 64);
    expect((await engineErrorOf(() => wrong.run())).code).to.equal("internal");
    expect(Array.from(await y.read())).to.deep.equal([0, 0, 0, 0]);
    const late = gpu.program("late");
    late.copy(x, 0, y, 0, 4);
    await late.ready();
    x.dispose();
    expect((await engineErrorOf(() => late.run())).message).to.equal("late: x: tensor was disposed");
    expect((await engineErrorOf(() => x.read())).problem).to.equal("tensor was disposed");
    expect(() => x.write(Float32Array.of(1))).to.throw("tensor was disposed");
    await gpu.idle();
    for (const thing of [y, wrong, late]) thing.dispose();
  });

  it("first uses at once load a part once", async () => {
    const before = gpu.ledger.bytes;
    const codec = await EncodecModel.from_pretrained(await openRepositoryStore("models/nano"), { gpu });
    const audio = new Float32Array(640);
    const [one, two] = await Promise.all([codec.encode(audio), codec.encode(audio)]);
    expect(one.audio_codes.tolist()).to.deep.equal(two.audio_codes.tolist());
    const stopped = new AbortController();
    stopped.abort();
    const codes = new NdArray(new Int32Array(16), [1, 8, 2]);
    const first = engineErrorOf(() => codec.decode(codes, { signal: stopped.signal }));
    // The other call's signal stops that call alone.
    const second = await codec.decode(codes);
    expect((await first).code).to.equal("aborted");
    expect(second.audio_values.shape[0]).to.equal(1);
    codec.dispose();
    expect(gpu.ledger.bytes).to.equal(before);
  });

  it("calls of the tick in which parts are taken off the device keep their weights", async () => {
    const before = gpu.ledger.bytes;
    const model = await load();
    const input_ids = [[1, 2, 3]];
    const calls = [model.semantic.forward({ input_ids }), model.coarse_acoustics.forward({ input_ids })];
    await model.enable_cpu_offload();
    await Promise.all(calls);
    expect(gpu.ledger.bytes).to.equal(before);
    model.dispose();
  });

  describe("a device that is lost", () => {
    const lose = ({ gpu: { device } }: { gpu: Gpu }): void => device.destroy();

    it("is reported at the end of a load", async () => {
      const own = await openGpu();
      let told = 0;
      const on_progress = (): void => {
        if (++told === 20) own.device.destroy();
      };
      expect((await engineErrorOf(() => load({ gpu: own, on_progress }))).code).to.equal("device-lost");
      expect([...own.ledger.byLabel().keys()]).to.deep.equal(["placeholder"]);
      own.dispose();
      expect(own.ledger.bytes).to.equal(0);
    });

    for (const stage of ["semantic", "coarse", "fine", "codec"] as const)
      it(`is opened anew in ${stage} where that is asked for: the same tokens, one notice`, async () => {
        const notices: string[] = [];
        const onNotice = (line: string): void => {
          if (line.includes("GPU device")) notices.push(line);
        };
        const model = await load({ gpu: undefined, recover: true, onNotice });
        const first = model.gpu;
        const on_progress = (progress: { stage: string }): void => {
          if (progress.stage === stage && model.gpu === first) lose(model);
        };
        await expectParity(model, "odd", run, { on_progress });
        expect(notices).to.have.length(1);
        expect(notices[0]).to.match(new RegExp(`^the GPU device was lost.*opened anew, and ${stage}.* is repeated$`));
        expect([model.gpu === first, first.ledger.bytes]).to.deep.equal([false, 0]);
        await expectParity(model, "odd", run);
        expect(notices).to.have.length(1);
        model.dispose();
        expect(model.gpu.ledger.bytes).to.equal(0);
      });

    it("is reported where it is lost twice in a call, or recovery was not asked for", async () => {
      const twice = await load({ gpu: undefined, recover: true });
      const error = await engineErrorOf(() =>
        twice.generate_output({
          ...generateKwargs(run),
          on_progress: ({ stage }) => stage === "coarse" && lose(twice),
        }),
      );
      expect(error.code).to.equal("device-lost");
      twice.dispose();
      const plain = await load({ gpu: undefined });
      lose(plain);
      expect((await engineErrorOf(() => plain.generate_output(generateKwargs(run)))).code).to.equal("device-lost");
      plain.dispose();
    });

    it("cannot be opened anew where the caller opened it", async () => {
      expect(await engineErrorOf(() => load({ recover: true }))).to.include({ code: "usage", where: "recover" });
    });
  });
});
