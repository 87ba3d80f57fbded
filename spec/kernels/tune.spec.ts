import { expect } from "chai";
import { decide, type Contest } from "../../kernels/tune.ts";

/** A contest in which every version takes the next of its times at each try, and the last of them from then on. */
function contest(op: string, times: Record<string, readonly number[]>): Contest & { tried: string[] } {
  const tried: string[] = [];
  const time = async (version: string): Promise<number> => {
    const own = times[version];
    const before = tried.filter((other) => other === version).length;
    tried.push(version);
    return own[Math.min(before, own.length - 1)];
  };
  return { op, versions: Object.keys(times), time, tried };
}

const failing = (op: string, failure: () => Promise<number>): Contest => ({
  op,
  versions: ["usual", "other"],
  time: async (version) => (version === "usual" ? 1 : await failure()),
});

/** Longer than any of these specs. */
const enough = 60_000;

describe("tune", () => {
  it("takes the fastest version of each op", async () => {
    const decided = await decide(
      [contest("gemv", { usual: [3], slow: [4], fast: [1] }), contest("gemm", { usual: [1], other: [2] })],
      enough,
    );
    expect(Object.fromEntries(decided)).deep.equal({ gemv: "fast", gemm: "usual" });
  });

  it("counts the least of three tries, in turns", async () => {
    const gemv = contest("gemv", { usual: [20, 20, 20], other: [100, 30, 10] });
    expect((await decide([gemv], enough)).get("gemv")).equal("other");
    expect(gemv.tried).deep.equal(["usual", "other", "usual", "other", "usual", "other"]);
  });

  it("keeps the usual version unless another is clearly faster", async () => {
    expect((await decide([contest("gemv", { usual: [1], other: [1] })], enough)).get("gemv")).equal("usual");
    expect((await decide([contest("gemv", { usual: [1], other: [0.97] })], enough)).get("gemv")).equal("usual");
    expect((await decide([contest("gemv", { usual: [1], other: [0.9] })], enough)).get("gemv")).equal("other");
  });

  it("leaves an op undecided whose version fails or whose clock stands still, and goes on", async () => {
    const decided = await decide(
      [
        failing("fails", () => Promise.reject(new Error("no such pipeline"))),
        contest("still", { usual: [0], other: [0] }),
        contest("unknown", { usual: [1], other: [NaN] }),
        contest("gemm", { usual: [2], other: [1] }),
      ],
      enough,
    );
    expect(Object.fromEntries(decided)).deep.equal({ gemm: "other" });
  });

  it("stops when the budget is spent, without waiting for what is under way", async () => {
    const never = failing("never", () => new Promise<number>(() => undefined));
    const after = contest("after", { usual: [2], other: [1] });
    const decided = await decide([contest("before", { usual: [2], other: [1] }), never, after], 50);
    expect(Object.fromEntries(decided)).deep.equal({ before: "other" });
    expect(after.tried).deep.equal([]);
  });

  it("tries nothing without a budget", async () => {
    const gemv = contest("gemv", { usual: [2], other: [1] });
    expect((await decide([gemv], 0)).size).equal(0);
    expect(gemv.tried).deep.equal([]);
  });
});
