/** The player in a real browser, with its real AudioWorklet code, in a time that the test makes. */
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import type { Player } from "../../web/element/index.ts";
import { launch } from "../../tools/test/chromium.ts";
import { openSite, type Site } from "../support/web/site.ts";
import { describeInChromium } from "../support/web/chromium.ts";

/** Of the sound and the context: an eighth of that of speech, so that an hour takes seconds. */
const rate = 3000;

/** An AudioContext whose time goes on by `play(seconds)`, which counts samples that are not those that were pushed. */
const simulated = `
  const frames = 128;
  Object.assign(globalThis, { sampleRate: ${rate}, currentTime: 0, at: 0, silent: 0, wrong: 0 });
  globalThis.sampleAt = (i) => (((i * 7919) % 65535) - 32767) / 32767;
  const ends = () => {
    const [a, b] = [{}, {}];
    a.postMessage = (data) => queueMicrotask(() => b.onmessage({ data }));
    b.postMessage = (data) => queueMicrotask(() => a.onmessage({ data }));
    return [a, b];
  };
  let inside, Processor, processor, isSuspended = false;
  globalThis.AudioWorkletProcessor = class { port = inside; };
  globalThis.registerProcessor = (name, given) => { Processor = given; };
  globalThis.AudioContext = class {
    sampleRate = ${rate};
    audioWorklet = { addModule: (url) => import(url) };
    get currentTime() { return globalThis.currentTime; }
    async resume() { isSuspended = false; }
    async suspend() { isSuspended = true; }
  };
  globalThis.AudioWorkletNode = class {
    constructor(context) {
      this.context = context;
      [this.port, inside] = ends();
      processor = new Processor();
    }
    connect() {}
  };
  const block = new Float32Array(frames);
  globalThis.play = async (seconds) => {
    if (isSuspended || processor === undefined) return;
    // Parts as short as reports are far from each other: the player answers in between.
    for (let left = Math.round(seconds * sampleRate / frames); left > 0; left -= 20) {
      await new Promise((resolve) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = resolve; port2.postMessage(0); });
      for (let i = 0; i < Math.min(20, left); i++) {
        block.fill(NaN);
        processor.process([], [[block]]);
        currentTime += frames / sampleRate;
        for (const sample of block) {
          if (Number.isNaN(sample)) silent++;
          else if (Math.abs(sample - sampleAt(at++)) > 1e-6) wrong++;
        }
      }
    }
  };`;

interface Simulation {
  sampleRate: number;
  player: Player;
  at: number;
  silent: number;
  wrong: number;
  sampleAt: (i: number) => number;
  play: (seconds: number) => Promise<void>;
}

describeInChromium("the player, in a time of the test's own", function () {
  this.timeout(300_000);
  let site: Site;
  let browser: Browser;
  let page: Page;
  before(async () => {
    [site, browser] = await Promise.all([openSite(), launch()]);
    page = await browser.newPage();
    await page.addInitScript(simulated);
    await page.goto(await site.page("player.html", ""));
    await page.evaluate(async () => {
      const address = "/element.js";
      const { Player: PlayerOfPage } = (await import(address)) as { Player: typeof Player };
      const { sampleRate: sampling_rate } = globalThis as unknown as Simulation;
      Object.assign(globalThis, { player: new PlayerOfPage({ sampling_rate }) });
    });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  /** Bytes of the page's heap and of its arrays, without what is garbage. */
  async function heapBytes(): Promise<number> {
    const session = await page.context().newCDPSession(page);
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize = 0 } = (await session.send("Runtime.getHeapUsage")) as {
      usedSize: number;
      backingStorageSize?: number;
    };
    await session.detach();
    return usedSize + backingStorageSize;
  }

  /** Makes sound twice as fast as it is played, and plays. */
  const speak = (seconds: number): Promise<void> =>
    page.evaluate(async (all) => {
      const { player, play, sampleAt, sampleRate } = globalThis as unknown as Simulation;
      let made = Math.round(player.duration * sampleRate);
      for (let left = all; left > 0; left -= 4) {
        player.push(Float32Array.from({ length: 4 * sampleRate }, () => sampleAt(made++)));
        await play(2);
      }
    }, seconds);

  const state = () =>
    page.evaluate(() => {
      const { player, silent, wrong, at } = globalThis as unknown as Simulation;
      return { silent, wrong, at, duration: player.duration, position: player.position, state: player.state };
    });

  it("plays what was given before it was allowed to, without a sample lost", async () => {
    await page.evaluate(async () => {
      const { player, play, sampleAt, sampleRate } = globalThis as unknown as Simulation;
      player.begin();
      player.push(Float32Array.from({ length: 4 * sampleRate }, (_, i) => sampleAt(i)));
      await play(1);
    });
    expect((await state()).state).equal("waiting");
    await page.evaluate(async () => {
      const { player, play } = globalThis as unknown as Simulation;
      await Promise.all([player.resume(), player.node]);
      await play(0.2);
      Object.assign(globalThis, { silent: 0 });
      await play(2);
    });
    const { silent, wrong, state: now } = await state();
    expect([silent, wrong, now]).deep.equal([0, 0, "playing"]);
  });

  it("is silent while it is paused, and goes on with the next sample", async () => {
    const before = await state();
    await page.evaluate(async () => {
      const { player, play } = globalThis as unknown as Simulation;
      await player.pause();
      await play(1);
    });
    expect(await state()).deep.equal(before);
    await page.evaluate(async () => {
      const { player, play } = globalThis as unknown as Simulation;
      await player.resume();
      await play(0.5);
    });
    const after = await state();
    expect([after.wrong, after.silent]).deep.equal([0, 0]);
    expect(after.at).within(before.at + rate / 2 - 128, before.at + rate / 2 + 128);
  });

  it("goes on at another place of what there is", async () => {
    await page.evaluate(async () => {
      const { player, play, sampleRate } = globalThis as unknown as Simulation;
      player.seek(1.5);
      Object.assign(globalThis, { at: 1.5 * sampleRate });
      await play(1);
    });
    const { wrong, position } = await state();
    expect(wrong).equal(0);
    expect(position).within(2, 2.6);
  });

  it("is silent as soon as it is stopped, and plays again", async () => {
    await page.evaluate(async () => {
      const { player, play, sampleRate } = globalThis as unknown as Simulation;
      Object.assign(globalThis, { silent: 0 });
      player.stop();
      await play(1);
      Object.assign(globalThis, { silent: (globalThis as unknown as Simulation).silent - sampleRate });
    });
    // All of that second, to a block.
    expect((await state()).silent).within(-128, 128);
    await page.evaluate(async () => {
      const { player, sampleRate, play } = globalThis as unknown as Simulation;
      player.begin();
      Object.assign(globalThis, { at: 0 });
      player.push(
        Float32Array.from({ length: 4 * sampleRate }, (_, i) => (globalThis as unknown as Simulation).sampleAt(i)),
      );
      await play(1);
    });
    const { wrong, state: now } = await state();
    expect([wrong, now]).deep.equal([0, "playing"]);
  });

  it("an hour takes no more of the page's memory than its first minutes, and all of it can be heard", async () => {
    await speak(400);
    const before = await heapBytes();
    await speak(3196);
    const growth = (await heapBytes()) - before;
    const { wrong, duration, position } = await state();
    expect([wrong, duration]).deep.equal([0, 3600]);
    expect(position).above(1700);
    // Its samples are 21 MB.
    expect(growth).below(1e6);
    await page.evaluate(async () => {
      const { player, play, sampleRate } = globalThis as unknown as Simulation;
      player.seek(3590);
      Object.assign(globalThis, { at: 3590 * sampleRate, silent: 0 });
      player.end();
      await play(20);
    });
    const end = await state();
    expect([end.wrong, end.at, end.position, end.state]).deep.equal([0, 3600 * rate, 3600, "ended"]);
  });
});
