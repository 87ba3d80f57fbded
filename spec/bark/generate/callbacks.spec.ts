import { expect } from "chai";
import type { BarkModel } from "../../../bark/model.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import { keywordModel } from "../../support/keyword_cases.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("callbacks and limits of generate", () => {
  let model: BarkModel;
  let bytes: number;
  before(async () => {
    model = await keywordModel("gap");
    bytes = model.gpu.ledger.bytes;
  });
  after(() => model.dispose());
  afterEach("frees what it made", () => expect(model.gpu.ledger.bytes).to.equal(bytes));

  const call = {
    input_ids: [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]],
    do_sample: false,
    fine_temperature: null,
    semantic_max_new_tokens: 9,
  };
  const semantic = async (kwargs: object) => (await model.generate_output({ ...call, ...kwargs })).semantic;

  it("logits_processor changes the scores, in place or by answering others", async () => {
    const only = (id: number) => (_ids: NdArray<Int32Array>, scores: NdArray<Float32Array>) =>
      new NdArray(
        scores.data.map((_, i) => (i === id ? 0 : -Infinity)),
        scores.shape,
      );
    expect(await semantic({ semantic_logits_processor: [only(5)] })).to.deep.equal([new Array(9).fill(5)]);
    const lengths: number[] = [];
    const inPlace = (ids: NdArray<Int32Array>, scores: NdArray<Float32Array>): NdArray<Float32Array> => {
      lengths.push(ids.shape[1]);
      scores.data.fill(-Infinity).fill(1, 7, 8);
      return scores;
    };
    expect(await semantic({ semantic_logits_processor: [inPlace] })).to.deep.equal([new Array(9).fill(7)]);
    // 12 slots and the infer token.
    expect(lengths).to.deep.equal([13, 14, 15, 16, 17, 18, 19, 20, 21]);
    const wrong = await engineErrorOf(() => semantic({ semantic_logits_processor: [() => 5] }));
    expect(wrong.message).to.match(/^logits_processor: .*float32 \[1, 80\]/);
  });

  it("stopping_criteria end the search, and see scores where they are asked for", async () => {
    const all = await semantic({});
    const afterThree = (ids: NdArray<Int32Array>) => [ids.shape[1] >= 13 + 3];
    expect(await semantic({ semantic_stopping_criteria: [afterThree] })).to.deep.equal([all[0].slice(0, 3)]);
    const seen: unknown[] = [];
    const watch = (_ids: unknown, scores: readonly NdArray<Float32Array>[] | null) => {
      seen.push(scores?.map(({ shape }) => shape));
      return seen.length === 2;
    };
    await semantic({ semantic_stopping_criteria: [watch] });
    expect(seen).to.deep.equal([undefined, undefined]);
    seen.length = 0;
    const recorded = { semantic_return_dict_in_generate: true, semantic_output_scores: true };
    await semantic({ semantic_stopping_criteria: [watch], ...recorded });
    expect(seen).to.deep.equal([
      [[1, 80]],
      [
        [1, 80],
        [1, 80],
      ],
    ]);
    const wrong = await engineErrorOf(() => semantic({ semantic_stopping_criteria: [() => [true, false]] }));
    expect(wrong.message).to.match(/^stopping_criteria: .*each of 1 rows/);
  });

  it("prefix_allowed_tokens_fn leaves only its ids, and forces them where none is possible", async () => {
    const two = await semantic({ semantic_prefix_allowed_tokens_fn: () => [8, 9] });
    expect(new Set(two[0])).to.satisfy((ids: Set<number>) => [...ids].every((id) => id === 8 || id === 9));
    const none = await engineErrorOf(() => semantic({ semantic_prefix_allowed_tokens_fn: () => [] }));
    expect(none.message).to.match(/^prefix_allowed_tokens_fn: allows no id for row 0/);
  });

  it("a time limit of nothing leaves a token, on the GPU and on the host", async () => {
    const [all] = await semantic({});
    for (const kwargs of [{ tokens_per_readback: 1 }, { semantic_no_repeat_ngram_size: 20 }])
      expect(await semantic({ ...kwargs, semantic_max_time: 0 })).to.deep.equal([all.slice(0, 1)]);
  });

  it("draws are those of the GPU's kernel, whatever a keyword reads back", async () => {
    const drawn = { do_sample: true, temperature: 0.8, top_k: 12, seed: 5 };
    const expected = await semantic(drawn);
    expect(await semantic({ ...drawn, semantic_stopping_criteria: [() => false] })).to.deep.equal(expected);
    const several = await semantic({ ...drawn, semantic_num_return_sequences: 3 });
    expect(several).to.have.length(3);
    expect(several[0].slice(0, 1)).to.deep.equal(expected[0].slice(0, 1));
    const nothing = { semantic_suppress_tokens: [], semantic_forced_eos_token_id: 70, semantic_max_new_tokens: 1 };
    expect((await engineErrorOf(() => semantic({ ...drawn, ...nothing }))).message).to.match(/leave no token to draw/);
  });

  it("beams stop at once where the signal says so", async () => {
    const signal = AbortSignal.abort();
    expect((await engineErrorOf(() => semantic({ num_beams: 2, signal }))).code).to.equal("aborted");
  });

  it("drawn beams are distinct sequences, and the same for a seed", async () => {
    const beams = { do_sample: true, semantic_num_beams: 3, semantic_num_return_sequences: 3, seed: 9 };
    const rows = await semantic(beams);
    expect(new Set(rows.map(String)).size).to.equal(3);
    expect(await semantic(beams)).to.deep.equal(rows);
  });
});
