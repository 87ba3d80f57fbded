import { expect } from "chai";
import { Memo } from "../../engine/memo.ts";

describe("Memo", () => {
  it("makes a value once for all who ask, also while it is being made", async () => {
    const memo = new Memo<string, object>();
    const made: string[] = [];
    const ask = (key: string): Promise<object> =>
      memo.get(key, async () => {
        made.push(key);
        await Promise.resolve();
        return {};
      });
    const [first, second, other] = await Promise.all([ask("a"), ask("a"), ask("b")]);
    expect(second).to.equal(first);
    expect(other).to.not.equal(first);
    expect(await ask("a")).to.equal(first);
    expect(made).to.deep.equal(["a", "b"]);
    expect(memo.keys).to.deep.equal(["a", "b"]);
  });

  it("tells a failure to all who asked meanwhile, and tries anew for the next", async () => {
    const memo = new Memo<string, string>();
    let tries = 0;
    const ask = (): Promise<string> =>
      memo.get("a", async () => {
        await Promise.resolve();
        if (++tries === 1) throw new Error("blip");
        return "value";
      });
    const settled = await Promise.allSettled([ask(), ask()]);
    expect(settled.map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
    expect(tries).to.equal(1);
    expect(await ask()).to.equal("value");
    expect(await ask()).to.equal("value");
    expect(tries).to.equal(2);
  });

  it("keeps nothing of a call that throws before it gives a promise", async () => {
    const memo = new Memo<string, string>();
    expect(() =>
      memo.get("a", () => {
        throw new Error("at once");
      }),
    ).to.throw("at once");
    expect(await memo.get("a", async () => Promise.resolve("value"))).to.equal("value");
  });
});
