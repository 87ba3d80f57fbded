import { expect } from "chai";
import type { Gpu } from "../../../engine/gpu.ts";
import { sampleReference } from "../../../kernels/sample/reference.ts";
import { sampleStep, type SampleLanes, type SampleOptions } from "../../../kernels/sample/sample.ts";
import { stateWidth } from "../../../kernels/decode_state.ts";
import { noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";

const untouched = 777;

interface Row {
  token: number;
  position: number;
  step: number;
  done: number;
}

for (const lanes of [64, 256] as const) describe(`sampling of a decode step by ${lanes} lanes`, () => specify(lanes));

function specify(lanes: SampleLanes): void {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  /** Runs one step for each element of `steps` (logits [rows, vocabulary]); gives the states after it and the tokens. */
  async function decode(
    steps: readonly Float32Array<ArrayBuffer>[],
    start: readonly Row[],
    capacity: number,
    options: SampleOptions,
  ): Promise<{ states: Row[][]; tokens: number[][] }> {
    const rows = start.length;
    const vocabulary = steps[0].length / rows;
    const words = Uint32Array.from(start.flatMap(({ token, position, step, done }) => [token, position, step, done]));
    const tensors = {
      logits: gpu.tensor("f32", [rows, vocabulary], "logits"),
      state: gpu.tensorFrom("u32", [rows, stateWidth], words, "state"),
      tokens: gpu.tensorFrom(
        "u32",
        [rows + 1, capacity],
        new Uint32Array((rows + 1) * capacity).fill(untouched),
        "tokens",
      ),
    };
    const program = gpu.program("decode step");
    sampleStep(program, tensors, { rows, vocabulary, capacity }, options, lanes);
    const states: Row[][] = [];
    for (const logits of steps) {
      tensors.logits.write(logits);
      await program.run();
      const state = Array.from(await tensors.state.read());
      states.push(
        start.map((_, row) => {
          const [token, position, step, done] = state.slice(row * stateWidth);
          return { token, position, step, done };
        }),
      );
    }
    const all = Array.from(await tensors.tokens.read());
    const tokens = Array.from({ length: rows + 1 }, (_, row) => all.slice(row * capacity, (row + 1) * capacity));
    for (const tensor of Object.values(tensors)) tensor.dispose();
    program.dispose();
    return { states, tokens };
  }

  const oneHot = (...ids: number[]): Float32Array<ArrayBuffer> => {
    const logits = new Float32Array(ids.length * 6);
    for (const [row, id] of ids.entries()) logits[row * 6 + id] = 9;
    return logits;
  };
  const fresh = (position: number): Row => ({ token: 0, position, step: 0, done: 0 });
  const greedy: SampleOptions = { ranges: [[0, 6]], greedy: true };

  it("advances token, position and step of each row by its own", async () => {
    const { states, tokens } = await decode([oneHot(3, 1), oneHot(2, 5)], [fresh(10), fresh(200)], 4, greedy);
    expect(states).deep.equal([
      [
        { token: 3, position: 11, step: 1, done: 0 },
        { token: 1, position: 201, step: 1, done: 0 },
      ],
      [
        { token: 2, position: 12, step: 2, done: 0 },
        { token: 5, position: 202, step: 2, done: 0 },
      ],
    ]);
    expect(tokens.slice(0, 2)).deep.equal([
      [3, 2, untouched, untouched],
      [1, 5, untouched, untouched],
    ]);
  });

  it("is done after the end of sequence, and emits the pad from then on", async () => {
    const steps = [oneHot(3, 1), oneHot(5, 2), oneHot(4, 5), oneHot(1, 1)];
    const { states, tokens } = await decode(steps, [fresh(0), fresh(0)], 4, { ...greedy, eos: 5, pad: 9 });
    expect(states.map((rows) => rows.map(({ done }) => done))).deep.equal([
      [0, 0],
      [1, 0],
      [1, 1],
      [1, 1],
    ]);
    expect(tokens.slice(0, 2)).deep.equal([
      [3, 5, 9, 9],
      [1, 2, 5, 9],
    ]);
    expect(states[3].map(({ token, step, position }) => [token, step, position])).deep.equal([
      [9, 4, 4],
      [9, 4, 4],
    ]);
  });

  it("pads with the end of sequence unless told otherwise", async () => {
    const { tokens } = await decode([oneHot(5), oneHot(1)], [fresh(0)], 2, { ...greedy, eos: 5 });
    expect(tokens[0]).deep.equal([5, 5]);
  });

  it("is never done without an end of sequence", async () => {
    const { states } = await decode([oneHot(5), oneHot(0)], [fresh(0)], 2, { ...greedy, minEosP: 0.01 });
    expect(states.map(([row]) => [row.token, row.done])).deep.equal([
      [5, 0],
      [0, 0],
    ]);
  });

  it("is done when the rule of the probability forces the end of sequence", async () => {
    const logits = Float32Array.of(1, 0, 0, 0, 0, 0.5);
    for (const isGreedy of [true, false]) {
      const options = {
        ranges: [
          [0, 5],
          [5, 6],
        ],
        greedy: isGreedy,
        eos: 5,
        minEosP: 0.18,
        topK: 1,
      } as const;
      const { states } = await decode([logits], [fresh(0)], 1, options);
      expect(states[0]).deep.equal([{ token: 5, position: 1, step: 1, done: 1 }]);
    }
  });

  it("writes no token beyond the capacity, but counts on", async () => {
    const steps = [oneHot(1, 2), oneHot(3, 4), oneHot(5, 0)];
    const { states, tokens } = await decode(steps, [fresh(0), fresh(0)], 2, greedy);
    expect(tokens).deep.equal([
      [1, 3],
      [2, 4],
      [untouched, untouched],
    ]);
    expect(states[2].map(({ token, step }) => [token, step])).deep.equal([
      [5, 3],
      [0, 3],
    ]);
  });

  it("takes the step as the counter of the draw, in rows that stand at different ones", async () => {
    const rows = [fresh(4), { token: 0, position: 9, step: 3, done: 0 }, fresh(0)];
    const steps = Array.from({ length: 20 }, (_, i) => noise(rows.length * 64, i, 2));
    const options: SampleOptions = {
      ranges: [[0, 64]],
      greedy: false,
      seed: 77n,
      stage: 1,
      temperature: 0.9,
      topK: 30,
    };
    const { states } = await decode(steps, rows, 40, options);
    for (const [i, logits] of steps.entries())
      for (const [row, { step }] of rows.entries()) {
        const expected = sampleReference(logits.subarray(row * 64, (row + 1) * 64), options, { row, step: step + i });
        if (expected.margin > 1e-4) expect(states[i][row].token, `row ${row} at ${i}`).equal(expected.id);
      }
    // Equal logits at every step, so that only the counter can tell the draws apart.
    const flat = await decode(
      Array.from({ length: 30 }, () => new Float32Array(64)),
      [fresh(0)],
      30,
      options,
    );
    expect(new Set(flat.tokens[0]).size).above(15);
  });
}
