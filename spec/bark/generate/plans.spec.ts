import { expect } from "chai";
import { readFileSync } from "node:fs";
import { fineInput, fineOutput, planFine } from "../../../bark/generate/fine_plan.ts";
import { BarkFineGenerationConfig, BarkGenerationConfig } from "../../../bark/config/generation_config.ts";
import {
  coarseHistory,
  coarseLength,
  coarseRanges,
  coarseWindowInput,
  isWindowSettled,
  planCoarse,
  type CoarsePlan,
} from "../../../bark/generate/coarse_plan.ts";
import { maxSemanticTokens, semanticInput, semanticRanges } from "../../../bark/generate/semantic_plan.ts";
import { roundHalfEven } from "../../../bark/generate/python.ts";
import type { HistoryPrompt } from "../../../bark/voice/history_prompt.ts";
import type { JsonObject } from "../../../engine/check/json_fields.ts";
import { NdArray } from "../../../engine/ndarray.ts";

const hub = new BarkGenerationConfig();

const ramp = (count: number, modulo: number, start: number): number[] =>
  Array.from({ length: count }, (_, i) => (i * 7 + start) % modulo);

function voice(tokens: number, frames: number, vocab = 10000, size = 1024, books = 8): HistoryPrompt {
  const array = (values: number[], shape: number[]) => new NdArray(Int32Array.from(values), shape);
  return {
    semantic_prompt: array(ramp(tokens, vocab, 3), [tokens]),
    coarse_prompt: array(ramp(2 * frames, size, 5), [2, frames]),
    fine_prompt: array(ramp(books * frames, size, 9), [books, frames]),
  };
}

describe("semantic planning", () => {
  const { semantic_config: config } = hub;

  it("allows the semantic tokens and the end of speech", () => {
    const ranges = (eos: number, tokens: number, outputs: number) =>
      semanticRanges(
        BarkGenerationConfig.from_dict({ semantic_config: { eos_token_id: eos, semantic_vocab_size: tokens } })
          .semantic_config,
        outputs,
      );
    expect(ranges(10000, 10000, 10048)).to.deep.equal([[0, 10001]]);
    expect(ranges(10010, 10000, 10048)).to.deep.equal([
      [0, 10000],
      [10010, 10011],
    ]);
    expect(ranges(120, 150, 120)).to.deep.equal([[0, 120]]);
    expect(ranges(50, 100, 120)).to.deep.equal([[0, 51]]);
    expect(ranges(200, 100, 120)).to.deep.equal([[0, 100]]);
    expect(ranges(200, 150, 120)).to.deep.equal([[0, 120]]);
  });

  it("has 768 positions for new tokens in Bark", () => {
    expect(maxSemanticTokens(config, 1024)).to.equal(768);
  });

  it("replaces masked text, cuts it on the right and pads the voice on the right", () => {
    const ids = [ramp(300, 1000, 1), ramp(300, 1000, 2)];
    const mask = [ramp(300, 1, 0).map((_, i) => Number(i < 2)), ramp(300, 1, 0).map((_, i) => Number(i < 290))];
    const { text, history: voices, infer } = semanticInput(ids, mask, voice(158, 237), config);
    const history = voices[0];
    expect(text.map((row) => row.length)).to.deep.equal([256, 256]);
    expect(text[0].slice(0, 4)).to.deep.equal([10049, 10056, 129595, 129595]);
    expect(text[1][255]).to.equal(ids[1][255] + 10048);
    expect([history.length, history[157], history[158], history[255]]).to.deep.equal([
      256,
      (157 * 7 + 3) % 10000,
      10000,
      10000,
    ]);
    expect(infer).to.equal(129599);
  });

  it("takes the end of a long voice, and pads alone without one", () => {
    const long = semanticInput([ramp(256, 9, 0)], null, voice(400, 600), config);
    expect(long.history[0]).to.deep.equal(ramp(400, 10000, 3).slice(-256));
    expect(semanticInput([ramp(256, 9, 0)], null, null, config).history[0]).to.deep.equal(
      ramp(256, 1, 0).map(() => 10000),
    );
  });

  it("leaves padding as text where there is no mask", () => {
    expect(semanticInput([ramp(256, 1, 0)], null, null, config).text[0][255]).to.equal(10048);
  });

  it("continues short masked text and refuses short text without a mask", () => {
    const { text } = semanticInput([[5, 6, 0]], [[1, 1, 0]], null, config);
    expect([text[0].length, text[0][1], text[0][2], text[0][255]]).to.deep.equal([256, 10054, 129595, 129595]);
    expect(() => semanticInput([[5, 6, 0]], null, null, config))
      .to.throw("fewer ids than the checkpoint has text slots")
      .that.includes({ code: "usage", where: "input_ids" });
    for (const mask of [
      [[1, 1]],
      [
        [1, 1, 0],
        [1, 1, 0],
      ],
    ])
      expect(() => semanticInput([[5, 6, 0]], mask, null, config))
        .to.throw("another shape")
        .that.includes({ code: "usage", where: "attention_mask" });
  });
});

describe("coarse planning", () => {
  it("rounds halves to even", () => {
    expect([0.5, 1.5, 2.5, 2.4, 2.6, 749.5].map(roundHalfEven)).to.deep.equal([0, 2, 2, 2, 3, 750]);
  });

  it("gives 2 * floor(750 n / 499) tokens for n semantic tokens", () => {
    for (let n = 0; n < 3000; n++)
      expect(coarseLength(n, hub), `${n} tokens`).to.equal(2 * Math.floor((750 * n) / 499));
  });

  it("alternates between the first codebook and everything above it", () => {
    expect(coarseRanges(hub, 12096)).to.deep.equal([
      [10000, 11024],
      [11024, 12096],
    ]);
  });

  const table = (semantic: number, history: HistoryPrompt | null): number[][] =>
    planCoarse([ramp(semantic, 10000, 0)], history, hub, 1024).windows.map((w) => [
      w.done,
      w.semanticStart,
      w.inputLength,
      w.count,
    ]);

  it("plans 300 tokens without a voice", () => {
    const rows = table(300, null);
    expect(rows).to.have.length(15);
    expect(rows.slice(0, 2)).to.deep.equal([
      [0, 0, 257, 60],
      [60, 0, 317, 60],
    ]);
    expect(rows.slice(-5)).to.deep.equal([
      [600, 0, 857, 60],
      [660, 11, 887, 60],
      [720, 31, 887, 60],
      [780, 50, 887, 60],
      [840, 70, 887, 60],
    ]);
  });

  it("plans 100 tokens after en_speaker_6 (158 semantic tokens, 237 frames)", () => {
    const { semantic, coarse } = coarseHistory(voice(158, 237), hub);
    expect([semantic.length, coarse.length]).to.deep.equal([157, 470]);
    expect(table(100, voice(158, 237))).to.deep.equal([
      [0, 0, 727, 60],
      [60, 0, 787, 60],
      [120, 0, 847, 60],
      [180, 8, 887, 60],
      [240, 28, 887, 60],
    ]);
  });

  it("plans 400 tokens after a full history", () => {
    const { semantic, coarse } = coarseHistory(voice(500, 750), hub);
    expect([semantic.length, coarse.length]).to.deep.equal([209, 626]);
    const rows = table(400, voice(500, 750));
    expect(rows[0]).to.deep.equal([0, 0, 883, 60]);
    expect(rows.slice(1).map((row) => row[2])).to.deep.equal(rows.slice(1).map(() => 887));
    expect(rows.at(-1)).to.include.members([1200, 2]);
  });

  it("takes the whole voice where python's [-0:] does", () => {
    const { semantic, coarse } = coarseHistory(voice(1, 2), hub);
    expect([semantic.length, coarse.length]).to.deep.equal([1, 2]);
  });

  it("interleaves the codebooks of the voice with their offsets", () => {
    const { data } = voice(158, 237).coarse_prompt;
    const { coarse } = coarseHistory(voice(158, 237), hub);
    // 474 tokens, the last 472, less the last 2: from frame 1 on.
    expect(coarse.slice(0, 3)).to.deep.equal([10000 + data[1], 11024 + data[237 + 1], 10000 + data[2]]);
  });

  it("plans nothing for an empty answer", () => {
    const plan = planCoarse([[10000]], null, hub, 1024);
    expect([plan.maxLength, plan.windows.length, plan.lengths]).to.deep.equal([0, 0, [0]]);
  });

  it("needs 47 + 20k semantic tokens for window k after a full history, and one less does not do", () => {
    const history = voice(500, 750);
    const all = ramp(400, 10000, 0);
    const inputAfter = (count: number, k: number): { input: number[]; isSettled: boolean } => {
      const plan = planCoarse([all.slice(0, count)], history, hub, 1024);
      const window = plan.windowAt(60 * k);
      const generated = ramp(60 * k, 1000, 1);
      return {
        input: coarseWindowInput(plan, window, 0, generated, hub),
        isSettled: isWindowSettled(plan, window, hub),
      };
    };
    for (let k = 0; k < 10; k++) {
      // 60k / 3.00601 is a little less than 20k: a token less from window 9 on.
      const needed = 47 + roundHalfEven((60 * k * 499) / 1500);
      const whole = inputAfter(400, k).input;
      expect(inputAfter(needed, k), `window ${k}`).deep.equal({ input: whole, isSettled: true });
      const before = inputAfter(needed - 1, k);
      expect(before.isSettled, `window ${k}`).equal(false);
      expect(before.input, `window ${k}`).not.deep.equal(whole);
    }
  });

  it("refuses windows that the model has no positions for", () => {
    expect(() => planCoarse([ramp(300, 10000, 0)], null, hub, 945))
      .to.throw("too few positions")
      .that.includes({ code: "bad-input", where: "generation_config.json: coarse_acoustics_config" });
    expect(planCoarse([ramp(300, 10000, 0)], null, hub, 946).windows).to.have.length(15);
  });
});

describe("fine planning", () => {
  const config = new BarkFineGenerationConfig();
  const windows = (frames: number, history: number): number[][] =>
    planFine(frames, history, config).windows.map(({ start, fill, rel }) => [start, fill, rel]);

  it("plans the windows of bark-spec 4.4", () => {
    expect(windows(1, 0)).to.deep.equal([[0, 0, 0]]);
    expect(windows(1024, 0)).to.deep.equal([[0, 0, 0]]);
    expect(windows(1025, 0)).to.deep.equal([
      [0, 0, 0],
      [1, 512, 511],
    ]);
    expect(windows(1154, 0)).to.deep.equal([
      [0, 0, 0],
      [130, 512, 382],
    ]);
    expect(windows(512, 512)).to.deep.equal([[0, 512, 512]]);
    expect(windows(513, 700)).to.deep.equal([
      [0, 512, 512],
      [1, 513, 512],
    ]);
    expect(windows(600, 464)).to.deep.equal([
      [0, 464, 464],
      [40, 552, 512],
    ]);
    expect(windows(1154, 512)).to.deep.equal([
      [0, 512, 512],
      [512, 1024, 512],
      [642, 1154, 512],
    ]);
    expect(windows(150, 237)).to.deep.equal([[0, 237, 237]]);
  });

  it("folds coarse ids onto codes and marks the rest as not there yet", () => {
    const plan = planFine(2, 3, config);
    const buffer = fineInput(plan, [10007, 11024, 10008, 12050], voice(5, 3), hub);
    const { data } = voice(5, 3).fine_prompt;
    expect(Array.from(buffer.subarray(0, 8))).to.deep.equal(Array.from({ length: 8 }, (_, q) => data[q * 3]));
    expect(Array.from(buffer.subarray(24, 40))).to.deep.equal([
      ...[7, 0, 1024, 1024, 1024, 1024, 1024, 1024],
      ...[8, 2, 1024, 1024, 1024, 1024, 1024, 1024],
    ]);
    expect(buffer).to.have.length(1024 * 8);
    expect(fineOutput(plan, buffer, 8).subarray(0, 6)).to.deep.equal(Int32Array.of(7, 8, 0, 2, 1024, 1024));
  });

  it("refuses a voice with another number of codebooks", () => {
    const plan = planFine(1, 3, config);
    expect(() => fineInput(plan, [10000, 11024], voice(5, 3, 10000, 1024, 6), hub))
      .to.throw("number of codebooks")
      .that.includes({ code: "bad-input", where: "history_prompt" });
  });
});

describe("planning as in transformers (spec/fixtures/planning.py)", () => {
  interface Case {
    numbers: [JsonObject, JsonObject, JsonObject, number];
    counts: number[];
    history: [number, number] | null;
    text: number[];
    textHistory: number;
    lengths: number[];
    coarseWindows: [length: number, count: number, hashes: number[]][];
    fineBuffers: number[][];
    fine: number[];
    fineFrames: number;
  }

  const fnv = (values: ArrayLike<number>): number => {
    let hash = 0x811c9dc5;
    for (const byte of new Uint8Array(Int32Array.from(values).buffer)) hash = Math.imul(hash ^ byte, 0x01000193);
    return hash >>> 0;
  };

  const cases = JSON.parse(readFileSync("spec/fixtures/planning.json", "utf8")) as Case[];
  for (const [index, record] of cases.entries()) {
    const [semantic_config, coarse_acoustics_config, fine_acoustics_config, codebook_size] = record.numbers;
    const config = BarkGenerationConfig.from_dict({
      semantic_config,
      coarse_acoustics_config,
      fine_acoustics_config,
      codebook_size,
    });
    const { semantic_vocab_size: vocab, eos_token_id: eos, max_input_semantic_length: slots } = config.semantic_config;
    const { n_fine_codebooks: books } = config.fine_acoustics_config;
    const history =
      record.history === null ? null : voice(record.history[0], record.history[1], vocab, codebook_size, books);
    const name = `case ${index}: ${record.counts.join(" and ")} semantic tokens, voice ${JSON.stringify(record.history)}`;

    const coarse = (): { plan: CoarsePlan; generated: number[]; windows: Case["coarseWindows"] } => {
      const longest = Math.max(...record.counts);
      const semantic = record.counts.map((count, row) =>
        Array.from({ length: longest + 1 }, (_, i) => (i < count ? (i * 7 + 11 + row) % vocab : eos)),
      );
      const plan = planCoarse(semantic, history, config, 4096);
      const generated: number[] = [];
      const windows = plan.windows.map((window, w): Case["coarseWindows"][number] => {
        const inputs = semantic.map((_, row) => coarseWindowInput(plan, window, row, generated, config));
        generated.push(...ramp(window.count, codebook_size * 2, (w + 1) * 13).map((code) => code + vocab));
        expect(inputs[0]).to.have.length(window.inputLength);
        return [window.inputLength, window.count, inputs.map(fnv)];
      });
      return { plan, generated, windows };
    };

    it(`${name}: text`, () => {
      const rows = record.counts.map((_, row) => row);
      const ids = rows.map((row) => ramp(slots + 4, 50, row));
      const mask = rows.map((row) => Array.from({ length: slots + 4 }, (_, i) => Number(i < 5 + row)));
      const input = semanticInput(ids, mask, history, config.semantic_config);
      expect(input.text.map(fnv)).to.deep.equal(record.text);
      expect(input.history.map(fnv)).to.deep.equal(rows.map(() => record.textHistory));
    });

    it(`${name}: coarse windows`, () => {
      const { plan, windows } = coarse();
      expect(plan.lengths).to.deep.equal(record.lengths);
      expect(windows).to.deep.equal(record.coarseWindows);
    });

    it(`${name}: fine windows`, () => {
      const { generated } = coarse();
      const { max_fine_input_length: width } = config.fine_acoustics_config;
      const plan = planFine(generated.length / 2, history?.fine_prompt.shape[1] ?? 0, config.fine_acoustics_config);
      const buffer = fineInput(plan, generated, history, config);
      const buffers = plan.windows.map(({ start, fill, rel }, w) => {
        const hash = fnv(buffer.subarray(start * books, (start + width) * books));
        for (let q = 2; q < books; q++)
          for (let i = rel; i < width; i++) buffer[(fill + i - rel) * books + q] = (i * 3 + q + w + 1) % codebook_size;
        return record.counts.map(() => hash);
      });
      expect(buffers).to.deep.equal(record.fineBuffers);
      expect(plan.frames).to.equal(record.fineFrames);
      expect(record.counts.map(() => fnv(fineOutput(plan, buffer, books)))).to.deep.equal(record.fine);
    });
  }
});
