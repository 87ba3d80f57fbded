import { expect } from "chai";
import { BarkModel } from "../../bark/model.ts";
import { DynamicCache } from "../../bark/gpt/forward/dynamic_cache.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { namedRows, testMisspelt, testRows, type Odd } from "../support/argument_rows.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";

// As many as the checkpoint has slots.
const ids = Array.from({ length: 40 }, (_, i) => (i * 37) % 300);
const mask = ids.map((_, i) => Number(i < 25 && i !== 3));
const inputs = { input_ids: [ids], attention_mask: [mask] };
const short = { do_sample: false, fine_temperature: null, semantic_max_new_tokens: 12, tokens_per_readback: 12 };
const flag: readonly Odd[] = ["null", "boolean"];
const none: readonly Odd[] = ["null"];
const callback: readonly Odd[] = ["null", "function"];

describe("arguments of a model", () => {
  let model: BarkModel;
  let bytes: number;
  const notices: string[] = [];
  before(async () => {
    const onNotice = (line: string): unknown => notices.push(line);
    model = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), { gpu: await sharedGpu(), onNotice });
    bytes = model.gpu.ledger.bytes;
  });
  after(() => model.dispose());
  afterEach("frees what it made", () => expect(model.gpu.ledger.bytes).to.equal(bytes));

  /** Stops where the first stage begins: by then all arguments were read. */
  const generate = async (args: object): Promise<void> => {
    const error = await engineErrorOf(() => model.generate({ ...inputs, signal: AbortSignal.abort(), ...args }));
    if (error.code !== "aborted") throw error;
  };
  const semantic = async (args: object) => await model.semantic.forward({ input_ids: [ids], ...args });
  const fine = async (args: object) =>
    await model.fine_acoustics.forward({ codebook_idx: 2, input_ids: [[[1, 2, 3, 4, 5, 6]]], ...args });

  const kwargs: Record<string, readonly Odd[]> = {
    do_sample: flag,
    temperature: ["null", "fraction", "huge"],
    top_k: ["null", "bigint"],
    top_p: none,
    min_eos_p: ["null", "fraction", "huge"],
    attention_mask: none,
    semantic_temperature: ["null", "fraction", "huge"],
    semantic_max_new_tokens: ["null", "bigint"],
    coarse_top_k: ["null", "bigint"],
    fine_temperature: ["null", "fraction", "huge"],
    return_output_lengths: flag,
    seed: ["null", "bigint"],
    on_progress: callback,
    tokens_per_readback: ["null", "bigint"],
    history_prompt: none,
    use_cache: flag,
    num_beams: ["null", "bigint"],
    semantic_num_return_sequences: none,
    repetition_penalty: ["null", "fraction", "huge"],
    coarse_no_repeat_ngram_size: ["null", "bigint"],
    suppress_tokens: ["null", "list"],
    begin_suppress_tokens: ["null", "list"],
    bad_words_ids: none,
    sequence_bias: none,
    eos_token_id: none,
    semantic_forced_eos_token_id: none,
    pad_token_id: ["null", "bigint"],
    min_length: ["null", "bigint"],
    semantic_min_new_tokens: ["null", "bigint"],
    max_time: ["null", "fraction", "huge"],
    min_p: none,
    typical_p: none,
    length_penalty: ["null", "fraction", "negative", "huge"],
    early_stopping: flag,
    remove_invalid_values: flag,
    output_scores: flag,
    logits_processor: ["null", "list"],
    stopping_criteria: ["null", "list"],
    prefix_allowed_tokens_fn: callback,
  };
  const forward: Record<string, readonly Odd[]> = {
    attention_mask: none,
    position_ids: none,
    output_hidden_states: flag,
    output_attentions: flag,
    labels: none,
  };
  testRows([
    ...namedRows("generate", generate, kwargs),
    { call: "generate", argument: "input_ids", isRequired: true, give: (value) => generate({ input_ids: value }) },
    ...namedRows("semantic.forward", semantic, { ...forward, use_cache: flag, past_key_values: ["null", "list"] }),
    ...namedRows("fine_acoustics.forward", fine, forward),
    {
      call: "fine_acoustics.forward",
      argument: "codebook_idx",
      takes: ["bigint"],
      isRequired: true,
      give: (value) => fine({ codebook_idx: value }),
    },
    {
      call: "codec_model.decode",
      argument: "audio_codes",
      isRequired: true,
      give: (value) => model.codec_model.decode(value as number[]),
    },
    ...namedRows("codec_model.decode", (args) => model.codec_model.decode([[1]], args), {
      signal: none,
      on_progress: callback,
    }),
    {
      call: "codec_decode",
      argument: "fine",
      isRequired: true,
      give: (value) => model.codec_decode(value as number[]),
    },
    {
      call: "codec_decode",
      argument: "output_lengths",
      takes: none,
      give: (value) => model.codec_decode([[[1, 2]]], value as number[]),
    },
  ]);
  testMisspelt("generate", [...Object.keys(kwargs), "semantic_top_p", "coarse_do_sample"], generate);
  testMisspelt("semantic.forward", [...Object.keys(forward), "past_key_values"], semantic);
  testMisspelt("fine_acoustics.forward", Object.keys(forward), fine);

  it("ids and masks of every kind mean what they say", async () => {
    const run = async (args: object) =>
      (await model.generate_output({ ...short, ...(args as typeof inputs) })).semantic;
    const expected = await run(inputs);
    expect(await run({ input_ids: [ids], attention_mask: [mask.map(() => 0)] })).to.not.deep.equal(expected);
    for (const [input_ids, attention_mask] of [
      [[ids], [mask.map(Boolean)]],
      [[ids.map(BigInt)], [mask.map(BigInt)]],
      [Int32Array.from(ids), Uint8Array.from(mask)],
      [BigInt64Array.from(ids.map(BigInt)), BigInt64Array.from(mask.map(BigInt))],
      [[Float32Array.from(ids)], [Int8Array.from(mask)]],
      [new NdArray(Float64Array.from(ids), [1, 40]), new NdArray(Uint8Array.from(mask), [1, 40])],
      [
        { type: "int64", dims: [1, 40], data: BigInt64Array.from(ids.map(BigInt)) },
        { type: "int64", dims: [1, 40], data: BigInt64Array.from(mask.map(BigInt)) },
      ],
    ])
      expect(await run({ input_ids, attention_mask })).to.deep.equal(expected);
  });

  it("ids and masks that mean nothing are refused", async () => {
    for (const [args, line] of [
      [{ input_ids: [[1.5, 2, 3, 4]] }, /^input_ids: index out of range .*got 1\.5/],
      [{ input_ids: [["1", 2, 3, 4]] }, /^input_ids: holds a value that is not a number \(.*got "1" at 0/],
      [{ input_ids: [[1, 2], [3]] }, /^input_ids: .*rows of one length/],
      [{ input_ids: ids }, /^input_ids: wrong shape .*got shape \[40\]/],
      [{ input_ids: [new Array(40)] }, /^input_ids: holds a value that is not a number \(got nothing at 0\)/],
      [{ input_ids: { data: BigInt64Array.of(1n), dims: [1, 40] } }, /^input_ids: wrong shape \(expected 1 values/],
      [{ input_ids: { type: "float16", data: Uint16Array.of(1), dims: [1, 1] } }, /^input_ids: is a tensor of float16/],
      [{ input_ids: new NdArray(new Int32Array(0), [0, 4]) }, /^input_ids: holds no text/],
      [{ input_ids: [[1e9, ...ids.slice(1)]] }, /^input_ids: token id 1000000320 is outside the vocabulary/],
      [{ attention_mask: [[1, 1, 2, 1]] }, /^attention_mask: .*neither true nor false .*got 2/],
      [{ attention_mask: [[1, 1, "0", 1]] }, /^attention_mask: holds a value that is not a number .*got "0" at 2/],
      [{ attention_mask: [[1, 1, NaN, 1]] }, /^attention_mask: .*got NaN/],
      [{ attention_mask: [[1, 1]] }, /^attention_mask: .*another shape/],
      [{ seed: 2n ** 64n }, /^seed: .*2\^64 - 1, got 18446744073709551616n/],
      [{ seed: -1n }, /^seed: .*got -1n/],
      [{ seed: 2 ** 53 }, /^seed: /],
      [{ history_prompt: { semantic_prompt: [1] } }, /^history_prompt: semantic_prompt voice preset must be a 1D nda/],
      [{ history_prompt: "en_speaker_0" }, /^history_prompt: .*processor\(text, \{ voice_preset: name \}\)/],
      [{ guidance_scale: 4 }, /^guidance_scale: 4 is not supported/],
      [{ semantic_penalty_alpha: 0.5 }, /^semantic_penalty_alpha: 0.5 is not supported; transformers fetches it/],
      [{ eos_token_id: [] }, /^eos_token_id: .*an id, or a list of at least one, got an empty list/],
      [{ bad_words_ids: [3] }, /^bad_words_ids: .*list of ids/],
      [{ logits_processor: () => undefined }, /^logits_processor: .*a list of functions, got a function/],
    ] as const)
      expect((await engineErrorOf(() => generate(args))).message).to.match(line);
    await generate({ num_beams: 1, repetition_penalty: 1, return_dict_in_generate: false });
  });

  it("without inputs, or with those that were not waited for", async () => {
    const call = (...args: unknown[]): unknown =>
      (model.generate as (...given: unknown[]) => unknown).apply(model, args);
    const promise = Promise.resolve(inputs);
    for (const [args, line] of [
      [[], /^input_ids: is missing .*await processor\(text\)/],
      [[{}], /^input_ids: is missing .*await processor\(text\)/],
      [[{ ...(promise as object) }], /^input_ids: is missing .*await processor\(text\)/],
      [[null], /^input_ids: is missing/],
      [[promise], /^generate: takes its arguments by name, .* got Promise; .*await processor\(text\)/],
      [["Hello"], /^generate: takes its arguments by name, .* got "Hello"; .*await processor\(text\)/],
      [[inputs, short], /^generate: takes no further argument, and got an object; give generate\(input_ids, /],
      [[[ids], null, true, {}, 5], /^generate: takes no further argument, and got an object/],
      [[[ids], null, { history_prompt: null }], /^generate: got history_prompt twice/],
      [[[ids], "en_speaker_0"], /^history_prompt: .*a voice/],
    ] satisfies [unknown[], RegExp][])
      expect((await engineErrorOf(() => call(...args))).message).to.match(line);
  });

  it("a cache as transformers' tuples goes on as the cache does", async () => {
    const { past_key_values } = await semantic({});
    const next = { input_ids: [[5]] };
    const tuples = past_key_values!.layers.map(({ keys, values }) => [keys, values] as const);
    const expected = await semantic({ ...next, past_key_values });
    for (const past of [tuples, new DynamicCache(tuples), past_key_values!.layers]) {
      const { logits } = await semantic({ ...next, past_key_values: past });
      expect([...logits.data]).to.deep.equal([...expected.logits.data]);
    }
  });

  it("what forward has not is refused by name", async () => {
    for (const [args, line] of [
      [{ head_mask: [[1]] }, /^head_mask: a list is not supported/],
      [{ input_embeds: [[[1]]] }, /^input_embeds: is not an argument of forward; did you mean "inputs_embeds"\?/],
    ] as const)
      expect((await engineErrorOf(() => semantic(args))).message).to.match(line);
    await semantic({ return_dict: true, head_mask: null });
    // As a list, which transformers calls a tuple.
    expect(await semantic({ return_dict: false })).an("array");
    const forwards = model.semantic as unknown as { forward: (...args: unknown[]) => unknown };
    expect((await engineErrorOf(() => forwards.forward({ input_ids: [ids] }, {}))).message).to.match(/^forward: /);
    expect((await engineErrorOf(() => forwards.forward([ids]))).message).to.match(/^forward: .*got a list/);
  });

  it("codes of every kind mean what they say, and their order is reported", async () => {
    const { codec_model: codec } = model;
    const { audio_values } = await codec.decode([[1, 2]]);
    const codes = { type: "int64", dims: [1, 1, 1, 2], data: BigInt64Array.of(1n, 2n) };
    expect([...(await codec.decode(codes)).audio_values.data]).to.deep.equal([...audio_values.data]);
    const scales = await engineErrorOf(() => codec.decode([[1, 2]], [null] as never));
    expect(scales.message).to.match(/^decode: .*got a list; give decode\(audio_codes, \{ signal/);
    expect((await engineErrorOf(() => model.codec_decode([[[1, 2]]], [3]))).message).to.match(
      /^output_lengths: .*0 to 2/,
    );
    expect((await engineErrorOf(() => model.codec_decode([[[1, 2]]], [1, 1]))).message).to.match(/^output_lengths: /);
  });
});
