import { expect } from "chai";
import { EngineError } from "../../../engine/errors.ts";
import { TransientFault, withRetries } from "../../../checkpoint/hub/retry.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const fault = (wait?: number): TransientFault => new TransientFault(new EngineError("io", "busy"), { wait });

describe("tries after a fault that may pass", () => {
  const { setTimeout } = globalThis;
  /** Milliseconds of each wait; nobody waits for them. */
  let waits: number[];
  beforeEach(() => {
    waits = [];
    globalThis.setTimeout = ((done: () => void, milliseconds: number) => {
      waits.push(milliseconds);
      return setTimeout(done, 0);
    }) as typeof setTimeout;
  });
  afterEach(() => {
    globalThis.setTimeout = setTimeout;
  });

  it("come after waits that double, up to a minute, each spread by up to a half", async () => {
    const error = await engineErrorOf(() =>
      withRetries(() => Promise.reject(fault()), { tries: 12, firstWait: 100 }, undefined),
    );
    expect(error.problem).equal("busy");
    expect(waits).have.length(11);
    for (const [index, wait] of waits.entries()) {
      const least = 100 * 2 ** index;
      expect(wait, `wait ${index}`).within(Math.min(least, 60_000), Math.min(1.5 * least, 60_000));
    }
    expect(waits.at(-1)).equal(60_000);
  });

  it("wait as long as the server asks, a minute at most", async () => {
    const asked = [7, 7_000_000];
    const work = (): Promise<string> =>
      asked.length === 0 ? Promise.resolve("done") : Promise.reject(fault(asked.shift()));
    expect(await withRetries(work, { tries: 3, firstWait: 100 }, undefined)).equal("done");
    expect(waits).deep.equal([7, 60_000]);
  });

  it("are counted from where it got further last, and their waits begin anew", async () => {
    let left = 6;
    const work = (progressed: () => void): Promise<string> => {
      if (left-- === 0) return Promise.resolve("done");
      if (left % 2 === 0) progressed();
      return Promise.reject(fault());
    };
    expect(await withRetries(work, { tries: 3, firstWait: 100 }, undefined)).equal("done");
    expect(waits.map((wait) => Math.floor(Math.log2(wait / 100)))).deep.equal([0, 0, 1, 0, 1, 0]);
  });

  it("are none once they are stopped: before they begin, and in a wait, which ends then", async () => {
    const reason = new Error("enough");
    const none = await engineErrorOf(() =>
      withRetries(() => Promise.resolve(1), { tries: 3, firstWait: 1 }, AbortSignal.abort(reason)),
    );
    expect([none.code, none.where, none.cause]).deep.equal(["aborted", "hub", reason]);
    const stop = new AbortController();
    globalThis.setTimeout = (() => {
      queueMicrotask(() => stop.abort(reason));
      return undefined;
    }) as never;
    const error = await engineErrorOf(() =>
      withRetries(() => Promise.reject(fault()), { tries: 3, firstWait: 1 }, stop.signal),
    );
    expect([error.code, error.cause]).deep.equal(["aborted", reason]);
  });

  it("are of a server that was there, unless it is said otherwise", () => {
    expect([fault().isOffline, fault().message]).deep.equal([false, "busy"]);
  });

  it("are none for another error", async () => {
    const error = await engineErrorOf(() =>
      withRetries(() => Promise.reject(new EngineError("bad-input", "no")), { tries: 3, firstWait: 1 }, undefined),
    );
    expect([error.problem, waits]).deep.equal(["no", []]);
  });
});
