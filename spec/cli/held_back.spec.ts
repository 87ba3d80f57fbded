import { expect } from "chai";
import { HeldBack } from "../../cli/process/held_back.ts";

const part = (seconds: number, real_time_factor: number) => ({
  audio: new Float32Array(seconds * 100),
  sampling_rate: 100,
  real_time_factor,
});

describe("a player that is held back", () => {
  const played: number[] = [];
  const push = (samples: Float32Array): void => void played.push(samples.length / 100);
  beforeEach(() => (played.length = 0));

  it("plays at once what is made faster than it is played", () => {
    const held = new HeldBack(push);
    held.add(part(1, 0.5), 20);
    held.add(part(2, 3), 20);
    expect(played).deep.equal([1, 2]);
  });

  it("waits until what is held lasts while the rest is made", () => {
    const held = new HeldBack(push);
    // Three seconds for each of sound: 10 more take 30, of which 10 are played meanwhile.
    held.add(part(5, 3), 25);
    held.add(part(10, 3), 15);
    expect(played).deep.equal([]);
    held.add(part(5, 3), 10);
    expect(played).deep.equal([5, 10, 5]);
    held.add(part(10, 3), 0);
    expect(played).deep.equal([5, 10, 5, 10]);
  });

  it("plays what is held when nothing more comes, once", () => {
    const held = new HeldBack(push);
    held.add(part(1, 9), 30);
    held.release();
    held.release();
    expect(played).deep.equal([1]);
  });
});
