import { expect } from "chai";
import { loadTwoAtATime } from "../../../bark/gpt/two_at_a_time.ts";

/** Loads that end when told to, and which of them were begun. */
function loads(count: number) {
  const begun: number[] = [];
  const ends: { resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
  const list = Array.from({ length: count }, (_, i) => async () => {
    begun.push(i);
    return await new Promise<string>((resolve, reject) => (ends[i] = { resolve, reject }));
  });
  return { begun, ends, list };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("loads in turn", () => {
  it("run two at a time, and give their results in order", async () => {
    const { begun, ends, list } = loads(4);
    const results = loadTwoAtATime(list);
    expect(begun).deep.equal([0, 1]);
    ends[1].resolve("b");
    await turn();
    expect(begun).deep.equal([0, 1, 2]);
    ends[2].resolve("c");
    await turn();
    expect(begun).deep.equal([0, 1, 2, 3]);
    ends[3].resolve("d");
    ends[0].resolve("a");
    expect(await results).deep.equal(["a", "b", "c", "d"]);
  });

  it("begin no other after a failure, and wait for the one under way", async () => {
    const { begun, ends, list } = loads(4);
    let isSettled = false;
    const outcome = loadTwoAtATime(list).catch((error: unknown) => {
      isSettled = true;
      return (error as Error).message;
    });
    ends[0].reject(new Error("damaged"));
    await turn();
    expect(isSettled).equal(false);
    ends[1].resolve("b");
    expect(await outcome).equal("damaged");
    expect(begun).deep.equal([0, 1]);
  });
});
