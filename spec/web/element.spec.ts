/** The element, its worker and its player in a real browser, under a strict policy, from the bundles of the package. */
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import type { BarkSpeech, Player } from "../../web/element/index.ts";
import { launch } from "../../tools/test/chromium.ts";
import { openSite, strictPolicy, type Site } from "../support/web/site.ts";
import { describeInChromium } from "../support/web/chromium.ts";

describeInChromium("in a page", function () {
  this.timeout(300_000);
  let site: Site;
  let browser: Browser;
  before(async () => {
    [site, browser] = await Promise.all([openSite(), launch()]);
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  /** A page, and the errors that its console has, those of its policy among them. */
  async function opened(name: string, body: string, policy?: string): Promise<{ page: Page; errors: string[] }> {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(await site.page(name, body, policy));
    return { page, errors };
  }

  it("plays what is pushed, sample by sample, waits when it runs dry, and goes back", async () => {
    const { page, errors } = await opened("player.html", "<button>play</button>");
    await page.evaluate(async () => {
      const address = "/element.js";
      const { Player: PlayerOfPage } = (await import(address)) as { Player: typeof Player };
      const player = new PlayerOfPage({ prebuffer: 0.2 });
      const events: string[] = [];
      for (const name of ["waiting", "playing", "ended"]) player.addEventListener(name, () => events.push(name));
      const heard: number[] = [];
      document.querySelector("button")!.onclick = async () => {
        await player.resume();
        const node = await player.node;
        const text = `registerProcessor("hears", class extends AudioWorkletProcessor {
          process([[block]]) { if (block) this.port.postMessage(block.slice()); return true; } })`;
        await node.context.audioWorklet.addModule(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
        const hears = new AudioWorkletNode(node.context, "hears");
        hears.port.onmessage = ({ data }: MessageEvent<Float32Array>) => void heard.push(...data);
        node.connect(hears).connect(node.context.destination);
        player.begin();
        player.push(Float32Array.from({ length: 12000 }, (_, i) => 0.5 * Math.sin(1 + i / 20)));
      };
      Object.assign(globalThis, { player, events, heard });
    });
    const state = () => page.evaluate(() => (globalThis as unknown as { player: Player }).player.state);
    const until = (wanted: string) =>
      page.waitForFunction((name) => (globalThis as unknown as { player: Player }).player.state === name, wanted);
    await page.click("button");
    await until("playing");
    await until("waiting");
    await page.evaluate(() => {
      const { player } = globalThis as unknown as { player: Player };
      player.push(new Float32Array(1200).fill(0.25));
    });
    // Less than it wants before it begins again.
    expect(await state()).equal("waiting");
    await page.evaluate(() => (globalThis as unknown as { player: Player }).player.end());
    await until("ended");
    const result = await page.evaluate(async () => {
      const { player, events, heard } = globalThis as unknown as {
        player: Player;
        events: string[];
        heard: number[];
      };
      const first = heard.findIndex((sample) => sample !== 0);
      let worst = 0;
      for (let i = 0; i < 12000; i++) worst = Math.max(worst, Math.abs(heard[first + i] - 0.5 * Math.sin(1 + i / 20)));
      const before = [...events];
      player.seek(0.4);
      const { position, duration } = player;
      return { events: before, worst, position, duration, bytes: player.toBlob().size };
    });
    expect(result.worst).lessThan(1 / 32767);
    expect(result.events).deep.equal(["waiting", "playing", "waiting", "playing", "ended"]);
    expect(result).include({ position: 0.4, duration: 0.55, bytes: 44 + 2 * 13200 });
    await until("ended");
    expect(errors).deep.equal([]);
    await page.close();
  });

  it("speaks the text of the element at a click, under a strict policy, and stops", async () => {
    const body = `<script type="module" src="/element.js"></script>
      <bark-speech model="/nano" voice="en_speaker_1" seed="7">Hello, my dog is cute.</bark-speech>`;
    const { page, errors } = await opened("element.html", body, strictPolicy);
    await page.evaluate(() => {
      const speech = document.querySelector<BarkSpeech>("bark-speech")!;
      speech.options = { semantic_max_new_tokens: 6 };
      const told: string[] = [];
      for (const name of ["chunk", "done", "ended", "error"])
        speech.addEventListener(name, (event) =>
          told.push(name === "error" ? String((event as CustomEvent).detail) : name),
        );
      Object.assign(globalThis, { told });
    });
    const player = () => page.evaluate(() => document.querySelector<BarkSpeech>("bark-speech")!.player.state);
    await page.getByRole("button", { name: "Speak" }).click();
    await page.waitForFunction(
      () => (globalThis as unknown as { told: string[] }).told.some((name) => /^e/.test(name)),
      null,
      {
        timeout: 240_000,
      },
    );
    const told = await page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
    expect(told.filter((name) => name !== "chunk")).deep.equal(["done", "ended"]);
    expect(told[0]).equal("chunk");
    expect(await page.getByRole("link", { name: "Download WAV" }).getAttribute("href")).match(/^blob:/);
    await page.getByRole("button", { name: "Speak" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    expect(await player()).equal("idle");
    expect(errors).deep.equal([]);
    await page.close();
  });
});
