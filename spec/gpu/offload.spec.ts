import { expect } from "chai";
import { CausalWeights } from "../../bark/gpt/causal_weights.ts";
import { BarkConfig } from "../../bark/config/config.ts";
import { causalTensors, fineTensors } from "../../bark/load/expected_tensors.ts";
import type { ExpectedTensor } from "../../engine/weights/expected_tensors.ts";
import { FineWeights } from "../../bark/gpt/fine_weights.ts";
import { LoadProgress } from "../../bark/load/load_progress.ts";
import { BarkModel } from "../../bark/model.ts";
import type { BarkGenerateKwargs } from "../../bark/generate/options/generate_arguments.ts";
import type { BarkProgress } from "../../bark/generate/output.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { SafetensorsCheckpoint } from "../../checkpoint/safetensors/checkpoint.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import type { TensorInfo, TensorReader } from "../../engine/weights/tensor_reader.ts";
import { expectParity, readRuns, type FixtureRun } from "../support/fixture.ts";
import { fixtureCheckpoint, weightFiles, type FixtureTensor } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { openRepositoryStore, readFixture, readFixtureJson } from "../support/runtime.ts";
import { WatchedStore } from "../support/files/watched_store.ts";

describe("one sub-model on the GPU at a time", () => {
  let gpu: Gpu;
  let bytes: number;
  before(async () => {
    gpu = await sharedGpu();
    bytes = gpu.ledger.bytes;
  });
  afterEach("leaves nothing on the GPU", () => expect(gpu.ledger.bytes).to.equal(bytes));

  describe("of the embedded checkpoint", () => {
    const kwargs: BarkGenerateKwargs = {
      input_ids: [Array.from({ length: 64 }, (_, i) => (i < 3 ? 40 + i : 0))],
      attention_mask: [Array.from({ length: 64 }, (_, i) => (i < 3 ? 1 : 0))],
      do_sample: false,
      semantic_max_new_tokens: 8,
    };

    it("speaks the same, bit by bit, with at most the largest of them + 25 % + its KV cache", async () => {
      const store = await openRepositoryStore("models/nano");
      const whole = await BarkModel.from_pretrained(store, { gpu });
      const all = gpu.ledger.bytes - bytes;
      const expected = await whole.generate_output(kwargs);
      whole.dispose();

      const model = await BarkModel.from_pretrained(store, { gpu, low_memory: true });
      expect(gpu.ledger.bytes, "after loading").to.equal(bytes);
      const largest = await largestPart(model);
      gpu.ledger.resetPeak();
      const output = await model.generate_output(kwargs);
      expect(gpu.ledger.bytes, "after a run").to.equal(bytes);
      expect(gpu.ledger.peakBytes - bytes).to.be.at.most(1.25 * largest + cacheBytes(model));
      expect(largest).to.be.below(all / 2);
      for (const tokens of ["semantic", "coarse"] as const) expect(output[tokens]).to.deep.equal(expected[tokens]);
      for (const array of ["fine", "audio"] as const)
        expect(Array.from(output[array].data)).to.deep.equal(Array.from(expected[array].data));
      model.dispose();
    });

    async function largestPart(model: BarkModel): Promise<number> {
      const sizes: number[] = [];
      for (const { weights } of [model.semantic, model.coarse_acoustics, model.fine_acoustics, model.codec_model] as {
        weights: { use(work: () => Promise<void>): Promise<void> };
      }[])
        await weights.use(async () => void sizes.push(gpu.ledger.bytes - bytes));
      return Math.max(...sizes);
    }

    function cacheBytes({ config }: BarkModel): number {
      const { num_layers, block_size, hidden_size } = config.semantic_config;
      return 2 * 4 * num_layers * block_size * hidden_size;
    }
  });

  describe("of a synthetic checkpoint", () => {
    let runs: FixtureRun[];
    before(async () => {
      ({ runs } = await readRuns("odd"));
    });
    const load = async (): Promise<BarkModel> =>
      await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), { gpu, low_memory: true });
    const runNamed = (name: string): FixtureRun => runs.find((run) => run.name === name)!;

    it("stops in every stage and while loading it, and speaks afterwards", async () => {
      const model = await load();
      for (const at of ["semantic", "coarse", "fine"] as const) {
        expect((await stopped(model, ({ stage }) => stage === at)).code).to.equal("aborted");
        expect(gpu.ledger.bytes, `stopped in ${at}`).to.equal(bytes);
      }
      let loads = 0;
      const error = await stopped(model, ({ stage }) => stage === "load" && ++loads === 7);
      expect(error).to.include({ code: "aborted", where: "load" });
      expect(gpu.ledger.bytes, "stopped while loading").to.equal(bytes);
      await expectParity(model, "odd", runNamed("history"));
      model.dispose();
    });

    async function stopped(model: BarkModel, when: (progress: BarkProgress) => boolean) {
      const stop = new AbortController();
      const on_progress = (progress: BarkProgress): void => {
        if (when(progress)) stop.abort();
      };
      return await engineErrorOf(() =>
        expectParity(model, "odd", runNamed("plain"), { signal: stop.signal, on_progress }),
      );
    }

    it("frees everything with dispose in the middle of a call, and then refuses", async () => {
      const model = await load();
      const input_ids = [[1, 2, 3]];
      const forward = model.semantic.forward({ input_ids });
      await forward;
      expect(gpu.ledger.bytes).to.be.above(bytes);
      const loading = model.fine_acoustics.forward({ codebook_idx: 2, input_ids: [[[1, 2, 3, 4, 5, 6]]] });
      model.dispose();
      expect((await engineErrorOf(() => loading)).toLine()).to.match(/^fine_acoustics: the model was disposed/);
      expect((await engineErrorOf(() => model.semantic.forward({ input_ids }))).code).to.equal("usage");
    });

    it("takes turns with calls that come together", async () => {
      const model = await load();
      await Promise.all([
        expectParity(model, "odd", runNamed("plain")),
        expectParity(model, "odd", runNamed("early_end")),
        model.codec_decode(new NdArray(new Int32Array(12), [1, 6, 2])),
      ]);
      expect(gpu.ledger.bytes).to.equal(bytes);
      model.dispose();
    });

    it("begins with enable_cpu_offload, after the calls that run", async () => {
      const whole = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), { gpu });
      const run = expectParity(whole, "odd", runNamed("plain"));
      await whole.enable_cpu_offload();
      await run;
      expect(gpu.ledger.bytes).to.equal(bytes);
      await expectParity(whole, "odd", runNamed("batch"));
      whole.dispose();
    });

    it("gives the same from the parts and the codec", async () => {
      const model = await load();
      const whole = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), { gpu });
      const codes = new NdArray(
        Int32Array.from({ length: 42 }, (_, i) => (i * 5) % 64),
        [1, 6, 7],
      );
      for (const ask of [
        ({ semantic }: BarkModel) => semantic.forward({ input_ids: [[1, 2, 900]] }).then(({ logits }) => logits),
        ({ coarse_acoustics }: BarkModel) =>
          coarse_acoustics.forward({ input_ids: [[1, 2], [3, 4]] }).then(({ logits }) => logits), // prettier-ignore
        (bark: BarkModel) => bark.codec_decode(codes),
      ])
        expect(Array.from((await ask(model)).data)).to.deep.equal(Array.from((await ask(whole)).data));
      whole.dispose();
      model.dispose();
    });
  });

  describe("of a wrong checkpoint", () => {
    const cases: [what: string, change: (tensors: FixtureTensor[]) => FixtureTensor[], line: RegExp][] = [
      ["without a tensor of the last GPT", without("fine_acoustics.layernorm_final.bias"), /layernorm_final\.bias/],
      ["without a tensor of the codec", without("codec_model.decoder.layers.0.conv.bias"), /layers\.0\.conv\.bias/],
      [
        "with a tensor of another shape",
        (tensors) => tensors.map((t) => (t.name === "semantic.lm_head.weight" ? { ...t, shape: [15, 313] } : t)),
        /semantic\.lm_head\.weight does not fit .*\[313, 15\], got \[15, 313\]/,
      ],
    ];
    for (const [what, change, line] of cases)
      it(`${what} fails before a run`, async () => {
        const files = weightFiles(change(await readFixtureJson<FixtureTensor[]>("odd/tensors.json")));
        for (const name of ["config.json", "generation_config.json"]) files.set(name, await readFixture(`odd/${name}`));
        const store = new WatchedStore(new MemoryStore(files, "odd"));
        const error = await engineErrorOf(() => BarkModel.from_pretrained(store, { gpu, low_memory: true }));
        expect(error.code).to.equal("bad-input");
        expect(error.toLine()).to.match(line);
        expect(store.stillOpen).to.deep.equal([]);
      });

    function without(name: string) {
      return (tensors: FixtureTensor[]) => tensors.filter((tensor) => tensor.name !== name);
    }
  });

  for (const folder of ["odd", "forward"])
    it(`expects of a checkpoint (${folder}) what the GPTs read, and nothing else`, async () => {
      const store = await fixtureCheckpoint(folder);
      const { semantic_config, fine_acoustics_config } = await BarkConfig.from_pretrained(store);
      const reader = new NotingReader(await SafetensorsCheckpoint.open(store));
      const semantic = await CausalWeights.load(gpu, reader, "semantic.", semantic_config, "f32");
      const fine = await FineWeights.load(gpu, reader, "fine_acoustics.", fine_acoustics_config, "f32");
      semantic.dispose();
      fine.dispose();
      const first = (prefix: string, { names }: ExpectedTensor): string =>
        names.map((name) => prefix + name).find((name) => reader.has(name)) ?? "none";
      const expected = [
        ...Array.from(causalTensors(semantic_config), (tensor) => first("semantic.", tensor)),
        ...Array.from(fineTensors(fine_acoustics_config), (tensor) => first("fine_acoustics.", tensor)),
      ];
      expect([...reader.noted].sort()).to.deep.equal([...new Set(expected)].sort());
    });
});

/** Notes of which tensors the shapes were looked at. */
class NotingReader extends LoadProgress {
  readonly noted = new Set<string>();

  override info(name: string): TensorInfo {
    // The first call counts all tensors, before there is a set.
    (this.noted as Set<string> | undefined)?.add(name);
    return super.info(name);
  }

  constructor(reader: TensorReader) {
    super(reader, {});
  }
}
