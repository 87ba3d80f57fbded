import { expect } from "chai";
import { onAbort } from "../../../checkpoint/hub/abort.ts";

describe("onAbort", () => {
  it("calls back all that wait, once, and none that forgot it", () => {
    const stop = new AbortController();
    const called: string[] = [];
    onAbort(stop.signal, () => called.push("a"));
    const forget = onAbort(stop.signal, () => called.push("b"));
    onAbort(stop.signal, () => called.push("c"));
    forget();
    expect(called).deep.equal([]);
    stop.abort();
    stop.signal.dispatchEvent(new Event("abort"));
    expect(called).deep.equal(["a", "c"]);
  });

  it("calls back at once where the signal has said so, and waits for each signal once", () => {
    const called: string[] = [];
    onAbort(AbortSignal.abort(), () => called.push("late"));
    expect(called).deep.equal(["late"]);
    const { signal } = new AbortController();
    const listened: string[] = [];
    signal.addEventListener = (type: string) => void listened.push(type);
    for (const name of ["a", "b"]) onAbort(signal, () => called.push(name));
    expect([listened, called]).deep.equal([["abort"], ["late"]]);
  });

  it("does nothing without a signal", () => {
    const forget = onAbort(undefined, () => expect.fail("called"));
    expect(forget()).equal(undefined);
  });
});
