import { expect } from "chai";
import type { CausalForwardKwargs } from "../../bark/gpt/forward/causal_forward.ts";
import { DynamicCache } from "../../bark/gpt/forward/dynamic_cache.ts";
import type { FineForwardKwargs } from "../../bark/gpt/forward/fine_forward.ts";
import { BarkCoarseModel, BarkFineModel, BarkSemanticModel } from "../../bark/sub_models.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";

const input_ids = [
  [1, 2, 3],
  [4, 5, 6],
];
const filled = (value: number, ...shape: number[]): NdArray =>
  new NdArray(new Int32Array(shape.reduce((a, b) => a * b)).fill(value), shape);

describe("forward with wrong arguments", () => {
  let gpu: Gpu;
  let semantic: BarkSemanticModel;
  let fine: BarkFineModel;
  let past_key_values: DynamicCache;
  let bytes: number;

  before(async () => {
    gpu = await sharedGpu();
    const store = await fixtureCheckpoint("forward");
    semantic = await BarkSemanticModel.from_pretrained(store, { gpu });
    fine = await BarkFineModel.from_pretrained(store, { gpu });
    past_key_values = (await semantic.forward({ input_ids })).past_key_values!;
    bytes = gpu.ledger.bytes;
  });
  after(() => {
    semantic.dispose();
    fine.dispose();
  });
  afterEach("frees what it made", () => expect(gpu.ledger.bytes).to.equal(bytes));

  const embeddings = new NdArray(new Float32Array(2 * 3 * 15), [2, 3, 15]);
  const causal: [name: string, kwargs: CausalForwardKwargs, line: RegExp][] = [
    ["both inputs", { input_ids, inputs_embeds: embeddings }, /You cannot specify both input_ids and inputs_embeds/],
    ["no input", {}, /You have to specify either input_ids or inputs_embeds/],
    ["null for both", { input_ids: null, inputs_embeds: null }, /You have to specify either/],
    [
      "labels",
      { input_ids, labels: input_ids as unknown as null },
      /^labels: Training is not implemented yet for Bark/,
    ],
    ["ids of one axis", { input_ids: [1, 2] }, /^input_ids: .*expected 2 axes, got shape \[2\]/],
    ["rows of several lengths", { input_ids: [[1, 2], [3], [4, 5, 6]] }, /^input_ids: .*not form an array of numbers/],
    ["no ids", { input_ids: [[]] }, /^input_ids: .*expected \[batch, length\], got \[1, 0\]/],
    ["an id past the vocabulary", { input_ids: [[3, 61]] }, /^input_ids: index out of range .*0 to 60, got 61/],
    ["a negative id", { input_ids: [[-1]] }, /^input_ids: index out of range .*got -1/],
    ["an id that is not an integer", { input_ids: [[1.5]] }, /^input_ids: index out of range .*got 1.5/],
    ["more ids than positions", { input_ids: filled(1, 1, 25) }, /longer than the model has positions .*24, got 25/],
    [
      "more ids than positions, with position_ids",
      { input_ids: filled(1, 1, 25), position_ids: filled(0, 1, 25) },
      /longer than the model has positions/,
    ],
    ["embeddings of another width", { inputs_embeds: filled(0, 1, 2, 14) }, /^inputs_embeds: .*15\], got \[1, 2, 14\]/],
    ["embeddings of two axes", { inputs_embeds: filled(0, 2, 15) }, /^inputs_embeds: .*expected 3 axes/],
    ["a position past the last", { input_ids, position_ids: [[0, 1, 24]] }, /^position_ids: .*0 to 23, got 24/],
    ["too few positions", { input_ids, position_ids: [[0, 1]] }, /^position_ids: .*\[2, 3\], got \[1, 2\]/],
    [
      "a mask of another length",
      { input_ids, attention_mask: [[0], [1]] },
      /^attention_mask: .*\[2, 3\].*got \[2, 1\]/,
    ],
    ["a mask of another batch", { input_ids, attention_mask: [[1, 0, 1]] }, /^attention_mask: .*got \[1, 3\]/],
    ["a mask of four axes", { input_ids, attention_mask: filled(0, 2, 1, 3, 3) }, /^attention_mask: .*2 axes/],
  ];
  for (const [name, kwargs, line] of causal)
    it(name, async () => {
      const error = await engineErrorOf(() => semantic.forward(kwargs));
      expect(error.code).to.equal("usage");
      expect(error.toLine()).to.match(line);
    });

  it("a past that leaves too few positions", async () => {
    const error = await engineErrorOf(() => semantic.forward({ input_ids: filled(1, 2, 22), past_key_values }));
    expect(error.toLine()).to.match(/at most 24, got 3 in past_key_values and 22/);
  });

  it("a mask of the new ids alone", async () => {
    const kwargs = { input_ids, past_key_values, attention_mask: [[1, 1, 0], [1, 1, 1]] }; // prettier-ignore
    const error = await engineErrorOf(() => semantic.forward(kwargs));
    expect(error.toLine()).to.match(/^attention_mask: .*\[2, 6\], past included, got \[2, 3\]/);
  });

  it("a past of another batch", async () => {
    const error = await engineErrorOf(() => semantic.forward({ input_ids: [[1]], past_key_values }));
    expect(error.toLine()).to.match(/^past_key_values: .*expected \[1, 3, 3, 5\], got \[2, 3, 3, 5\]/);
  });

  it("a past of another model", async () => {
    const coarse = await BarkCoarseModel.from_pretrained(await fixtureCheckpoint("forward"), { gpu });
    const error = await engineErrorOf(() => coarse.forward({ input_ids, past_key_values }));
    coarse.dispose();
    expect(error.toLine()).to.match(/^past_key_values: .*expected 1 layers, got 2 layers/);
  });

  it("takes an empty past for none", async () => {
    const { logits } = await semantic.forward({ input_ids, past_key_values: new DynamicCache() });
    expect([...logits.data]).to.deep.equal([...(await semantic.forward({ input_ids })).logits.data]);
  });

  const codes = filled(1, 2, 3, 4);
  const fineCases: [name: string, kwargs: FineForwardKwargs, line: RegExp][] = [
    ["codebook 0", { codebook_idx: 0, input_ids: codes }, /Cannot predict 0th codebook - 0th codebook should be pred/],
    ["a codebook without a head", { codebook_idx: 1, input_ids: codes }, /^codebook_idx: .*expected 2 to 3, got 1/],
    ["a codebook past the last", { codebook_idx: 4, input_ids: codes }, /^codebook_idx: .*expected 2 to 3, got 4/],
    ["no codebook", { input_ids: codes } as unknown as FineForwardKwargs, /^codebook_idx: is missing/],
    ["no input", { codebook_idx: 2 }, /You have to specify either input_ids or inputs_embeds/],
    [
      "labels",
      { codebook_idx: 2, input_ids: codes, labels: codes as unknown as null },
      /^labels: Training is not implemented yet$/,
    ],
    ["codes of too few codebooks", { codebook_idx: 2, input_ids: filled(1, 2, 3, 3) }, /4\], got \[2, 3, 3\]/],
    ["codes of two axes", { codebook_idx: 2, input_ids: filled(1, 3, 4) }, /^input_ids: .*expected 3 axes/],
    ["a code past the vocabulary", { codebook_idx: 2, input_ids: [[[1, 2, 3, 21]]] }, /^input_ids: .*20, got 21/],
    ["more codes than positions", { codebook_idx: 2, input_ids: filled(1, 1, 15, 4) }, /at most 14, got 15/],
  ];
  for (const [name, kwargs, line] of fineCases)
    it(`fine: ${name}`, async () => {
      const error = await engineErrorOf(() => fine.forward(kwargs));
      expect(error.code).to.equal("usage");
      expect(error.toLine()).to.match(line);
    });
});
