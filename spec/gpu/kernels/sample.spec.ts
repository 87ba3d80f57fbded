import { expect } from "chai";
import type { Gpu } from "../../../engine/gpu.ts";
import { sampleReference } from "../../../kernels/sample/reference.ts";
import { sampleRows, type SampleLanes, type SampleOptions } from "../../../kernels/sample/sample.ts";
import { noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";
import { readSamplingCases } from "../../support/sampling.ts";

/** Noisy scores closer than this are a tie in f32: WGSL allows log an error of 2^-21 near 1, and -log(u) is small there. */
const tie = 1e-4;

for (const lanes of [64, 256] as const) describe(`sampling of rows by ${lanes} lanes`, () => specify(lanes));

function specify(lanes: SampleLanes): void {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  /** The ids picked from each row of `logits`. */
  async function pick(logits: Float32Array<ArrayBuffer>, rows: number, options: SampleOptions): Promise<number[]> {
    const vocabulary = logits.length / rows;
    const tensors = {
      logits: gpu.tensorFrom("f32", [rows, vocabulary], logits, "logits"),
      out: gpu.tensor("u32", [rows], "out"),
    };
    const program = gpu.program("sample");
    sampleRows(program, tensors, { rows, vocabulary, first: 0, stride: 1 }, options, lanes);
    await program.run();
    const ids = Array.from(await tensors.out.read());
    tensors.logits.dispose();
    tensors.out.dispose();
    program.dispose();
    return ids;
  }

  /** Compares the picks with those of the reference; ties of the two best may go either way, but hardly any is one. */
  async function check(
    logits: Float32Array<ArrayBuffer>,
    rows: number,
    options: SampleOptions,
    what = "",
  ): Promise<void> {
    const vocabulary = logits.length / rows;
    const ids = await pick(logits, rows, options);
    let ties = 0;
    for (const [row, id] of ids.entries()) {
      const own = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
      const expected = sampleReference(own, options, { row, step: 0 });
      if (expected.margin < tie) ties++;
      else expect(id, `${what} row ${row}`).equal(expected.id);
    }
    expect(ties, "ties").at.most(Math.ceil(rows / 50));
  }

  /** `row` of logits, `rows` times. */
  const repeat = (row: ArrayLike<number>, rows: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: rows * row.length }, (_, i) => row[i % row.length]);

  it("draws what the reference draws, for many seeds, stages and rows", async () => {
    const logits = noise(40 * 300, 1, 4);
    for (const seed of [0n, 1n, 0xffffffffn, 1n << 32n, 0x0123456789abcdefn, (1n << 64n) - 1n])
      for (const stage of [0, 1, 7])
        await check(logits, 40, { ranges: [[0, 300]], greedy: false, seed, stage }, `seed ${seed} stage ${stage}`);
  });

  it("keeps the likeliest alone at a top-p of 0 and at a temperature near it, however small in f32", async () => {
    const logits = noise(40 * 300, 1, 4);
    const likeliest = await pick(logits, 40, { ranges: [[0, 300]], greedy: true });
    for (const option of [
      { topP: 0 },
      { topP: 1e-320 },
      { topP: 1e-38 },
      { temperature: 1e-37 },
      { temperature: 1e-310 },
    ])
      for (const topK of [0, 5]) {
        const drawn = await pick(logits, 40, { ranges: [[0, 300]], greedy: false, topK, ...option });
        expect(drawn, JSON.stringify(option)).deep.equal(likeliest);
      }
  });

  it("draws differ by seed, by stage and by row", async () => {
    const draw = async (options: Partial<SampleOptions>): Promise<string> =>
      (await pick(new Float32Array(30 * 500), 30, { ranges: [[0, 500]], greedy: false, ...options })).join();
    const draws = await Promise.all(
      [{}, { seed: 1n }, { seed: 1n << 32n }, { stage: 1 }].map((options) => draw(options)),
    );
    expect(new Set(draws).size).equal(4);
    expect(await draw({})).equal(draws[0]);
    expect(new Set(draws[0].split(",")).size).above(25);
  });

  it("draws from the whole of a vocabulary of Bark's size", () =>
    check(noise(8 * 10048, 2, 6), 8, {
      ranges: [
        [0, 10000],
        [10000, 10001],
      ],
      greedy: false,
      temperature: 0.7,
      topK: 50,
    }));

  it("draws from the columns of one codebook, wherever its quads of ids begin and end", async () => {
    const logits = noise(6 * 1100, 5, 6);
    for (const start of [0, 1, 2, 3, 39])
      for (const end of [1024, 1025, 1026, 1027, 1100])
        for (const options of [{ greedy: true }, { greedy: false }, { greedy: false, topK: 30 }])
          await check(logits, 6, { ranges: [[start, end]], seed: 11n, ...options }, `${start} to ${end}`);
  });

  it("keeps all ids that tie with the k-th, and no other, of a vocabulary of Bark's size", async () => {
    const logits = new Float32Array(200 * 10001).fill(-3);
    const best = [17, 64, 255, 4099, 9999, 10000];
    for (let row = 0; row < 200; row++)
      for (const [i, id] of best.entries()) logits[row * 10001 + id] = i < 2 ? 5.0000005 : 5;
    const options = { ranges: [[0, 10001]], greedy: false, seed: 1n } as const;
    const picked = async (topK: number): Promise<Set<number>> => new Set(await pick(logits, 200, { ...options, topK }));
    expect(await picked(3)).deep.equal(new Set(best));
    expect(await picked(2)).deep.equal(new Set(best.slice(0, 2)));
  });

  it("does not take an end of sequence that is out of reach of the floats", async () => {
    const options = { ranges: [[0, 6]], eos: 5, minEosP: 1e-30, greedy: true } as const;
    expect(await pick(repeat([300, 1, 2, 3, 4, -300], 2), 2, options)).deep.equal([0, 0]);
    expect(await pick(repeat([0, 1, 2, 3, 4, -60], 2), 2, options)).deep.equal([5, 5]);
  });

  it("filters as transformers does", async () => {
    const rows = lanes === 64 ? 20 : 5;
    for (const { name, logits, options } of await readSamplingCases())
      await check(
        repeat(logits, rows),
        rows,
        { ...options, greedy: false, seed: 9n },
        `${name} ${JSON.stringify(options)}`,
      );
  });

  it("takes top-p of what top-k left", async () => {
    // Weights 4, 2, 2, 1, 1, 1, 1: the best has 1/3 of all, which does not reach 0.45, but half of what top-k leaves.
    const logits = repeat([4, 2, 2, 1, 1, 1, 1].map(Math.log), 100);
    const options = { ranges: [[0, 7]], greedy: false, topP: 0.45 } as const;
    expect(new Set(await pick(logits, 100, options))).deep.equal(new Set([0, 1, 2]));
    expect(new Set(await pick(logits, 100, { ...options, topK: 2 }))).deep.equal(new Set([0]));
    expect(new Set(await pick(logits, 100, { ...options, topK: 2, topP: 1 }))).deep.equal(new Set([0, 1, 2]));
  });

  it("picks the first of equal maxima when greedy, whatever the filters", async () => {
    const rows = [
      [1, 3, 2, 3, 3],
      [0, 0, 0, 0, 0],
      [-5, -7, -5, -9, -4],
      [-0, 0, -1, 0, -2],
    ];
    const logits = Float32Array.from(rows.flat());
    const options = { ranges: [[0, 5]], greedy: true, topK: 1, topP: 0.1, temperature: 3 } as const;
    expect(await pick(logits, 4, options)).deep.equal([1, 0, 4, 0]);
  });

  it("finds the first of equal maxima across lanes", async () => {
    const logits = new Float32Array(3 * 200).fill(-1);
    for (const [row, ids] of [
      [64, 63, 199],
      [128, 64],
      [190, 126],
    ].entries())
      for (const id of ids) logits[row * 200 + id] = 2;
    expect(await pick(logits, 3, { ranges: [[0, 200]], greedy: true })).deep.equal([63, 64, 126]);
  });

  it("picks from two ranges, in either order, and from nothing between them", async () => {
    const logits = noise(20 * 150, 3, 5);
    for (const ranges of [
      [
        [10, 40],
        [100, 101],
      ],
      [
        [100, 140],
        [3, 5],
      ],
      [
        [149, 150],
        [0, 1],
      ],
    ] as const) {
      for (const greedy of [true, false]) await check(logits, 20, { ranges, greedy, seed: 3n }, JSON.stringify(ranges));
      const ids = await pick(logits, 20, { ranges, greedy: false });
      expect(ids.every((id) => ranges.some(([start, end]) => id >= start && id < end))).equal(true);
    }
  });

  it("takes the end of sequence once its probability before temperature is above the threshold, not at it", async () => {
    const even = repeat([2, 2], 20);
    const options = { ranges: [[0, 2]], eos: 1 } as const;
    for (const greedy of [true, false]) {
      expect(await pick(even, 20, { ...options, greedy, minEosP: 0.499 })).deep.equal(new Array(20).fill(1));
      expect(await pick(even, 20, { ...options, greedy, minEosP: 0.5 }), "at the threshold").include(0);
    }
    // 0.0900 at temperature 1. The temperature and top-k that would rule it out do not count.
    const rare = repeat([2, 0, 1], 20);
    for (const greedy of [true, false]) {
      const strict = { ranges: [[0, 3]], eos: 1, greedy, temperature: 0.1, topK: 1 } as const;
      expect(await pick(rare, 20, { ...strict, minEosP: 0.09 })).deep.equal(new Array(20).fill(1));
      expect(await pick(rare, 20, { ...strict, minEosP: 0.0901 })).deep.equal(new Array(20).fill(0));
      expect(await pick(rare, 20, strict), "off").deep.equal(new Array(20).fill(0));
    }
    // Ids that are not allowed have no share.
    expect(await pick(rare, 20, { ranges: [[1, 3]], eos: 1, greedy: true, minEosP: 0.26 })).deep.equal(
      new Array(20).fill(1),
    );
  });

  it("writes the element that it is given, and nothing else", async () => {
    const logits = noise(5 * 12, 4, 5);
    const tensors = {
      logits: gpu.tensorFrom("f32", [5, 12], logits, "logits"),
      out: gpu.tensorFrom("u32", [20], new Uint32Array(20).fill(777), "out"),
    };
    const program = gpu.program("sample");
    const shape = { rows: 5, vocabulary: 12, first: 2, stride: 3 };
    sampleRows(program, tensors, shape, { ranges: [[0, 10]], greedy: true }, lanes);
    await program.run();
    const expected = new Array<number>(20).fill(777);
    for (let row = 0; row < 5; row++) {
      const own = Array.from(logits.subarray(row * 12, row * 12 + 10));
      expected[2 + row * 3] = own.indexOf(Math.max(...own));
    }
    expect(Array.from(await tensors.out.read())).deep.equal(expected);
    tensors.logits.dispose();
    tensors.out.dispose();
    program.dispose();
  });

  it("draws ids in proportion to the softmax (chi-square, fixed seed)", async () => {
    const shares = [0.3, 0.22, 0.16, 0.12, 0.09, 0.06, 0.03, 0.02];
    const temperature = 2;
    // Barriers of 256 lanes take a software adapter a millisecond a row, and pick what 64 do.
    const rows = lanes === 64 ? 20000 : 2000;
    const logits = repeat(
      shares.map((share) => Math.log(share) * temperature),
      rows,
    );
    const counts = new Array<number>(shares.length).fill(0);
    for (const id of await pick(logits, rows, { ranges: [[0, 8]], greedy: false, temperature, seed: 42n }))
      counts[id]++;
    const chiSquare = shares.reduce((sum, share, id) => sum + (counts[id] - share * rows) ** 2 / (share * rows), 0);
    // 7 degrees of freedom: 24.3 is passed once in a thousand seeds.
    expect(chiSquare, counts.join()).below(24.3);
  });
}
