/** What goes wrong in a page with the element: each is told, and none of them is silence or a crash. */
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import type { BarkSpeech } from "../../web/element/index.ts";
import { launch } from "../../tools/test/chromium.ts";
import { heardIn } from "../../tools/package/pages.ts";
import { axeViolations } from "../support/web/axe.ts";
import { openSite, type Site } from "../support/web/site.ts";
import { inWorker, losesDevice, noAdapter, tooSmall } from "../support/web/worker_patches.ts";
import { describeInChromium } from "../support/web/chromium.ts";

const tokens = 8;
const element = `<bark-speech model="/nano" voice="en_speaker_1" seed="7">Hello, my dog is cute.</bark-speech>`;
const body = `<main><h1>Speech</h1><script type="module" src="/element.js"></script>${element}</main>`;

describeInChromium("the element, where something is wrong", function () {
  this.timeout(300_000);
  let site: Site;
  let browser: Browser;
  let page: Page;
  const lines: string[] = [];
  before(async () => {
    [site, browser] = await Promise.all([openSite(), launch()]);
  });
  after(async () => {
    await browser.close();
    await site.close();
  });
  beforeEach(async () => {
    lines.length = 0;
    page = await browser.newPage();
    page.on("console", (message) => lines.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => lines.push(`error: ${String(error)}`));
  });
  afterEach(() => page.close());

  const status = (): Promise<string> => page.getByRole("status").innerText();
  const told = async (pattern: RegExp): Promise<void> => {
    await page.getByRole("status").filter({ hasText: pattern }).waitFor({ timeout: 0 });
  };

  for (const [what, script, expected] of [
    ["no secure context", 'Object.defineProperty(globalThis, "isSecureContext", { value: false })', /secure page/],
    ["no WebGPU", "delete Navigator.prototype.gpu", /^This browser has no WebGPU.*Safari 26/],
  ] as const)
    it(`says so where there is ${what}, and offers nothing to press`, async () => {
      await page.addInitScript(script);
      await page.goto(await site.page("missing.html", body));
      expect(await status()).match(expected);
      expect(await page.getByRole("button", { name: "Speak" }).isDisabled()).equal(true);
      expect(await axeViolations(page)).deep.equal([]);
    });

  it("says so where there is no adapter", async () => {
    await page.addInitScript(noAdapter);
    await inWorker(page, noAdapter);
    await page.goto(await site.page("missing.html", body));
    await page.getByRole("button", { name: "Speak" }).click();
    await told(/no graphics adapter for it/);
  });

  it("says so where the adapter is too small, with what is needed", async () => {
    await inWorker(page, tooSmall);
    await page.goto(await site.page("missing.html", body));
    await page.getByRole("button", { name: "Speak" }).click();
    await told(/adapter is too small for this model: .*at most 100000 bytes/);
    expect(await page.getByRole("button", { name: "Speak" }).isEnabled()).equal(true);
  });

  it("speaks in the page where a worker has no WebGPU, and says so", async () => {
    await inWorker(page, "delete WorkerNavigator.prototype.gpu");
    await page.goto(await site.page("fallback.html", body));
    expect((await heardIn(page, tokens)).peak).above(0.01);
    expect(lines.filter((line) => line.includes("Bark runs in the page"))).length(1);
  });

  it("opens a device that is lost in mid-sentence anew: the same sound, and one notice", async () => {
    await inWorker(page, losesDevice);
    await page.goto(await site.page("lost.html", body));
    const before = await heardIn(page, tokens);
    lines.length = 0;
    await page.evaluate(() => {
      const lose = new BroadcastChannel("lose");
      let isLost = false;
      document.querySelector("bark-speech")!.addEventListener("progress", (event) => {
        if (isLost || (event as unknown as CustomEvent<{ stage?: string }>).detail.stage !== "coarse") return;
        isLost = true;
        lose.postMessage(null);
      });
    });
    const after = await heardIn(page, tokens);
    expect(Buffer.compare(after.wav, before.wav)).equal(0);
    expect(lines.filter((line) => line.includes("lost"))).length(1);
    expect(lines.filter((line) => line.startsWith("error"))).deep.equal([]);
  });

  it("works from another origin, as from a CDN", async () => {
    const address = await site.page("elsewhere.html", body.replace("/element.js", `${site.url}/element.js`));
    await page.goto(address.replace("127.0.0.1", "localhost"));
    expect((await heardIn(page, tokens)).peak).above(0.01);
  });

  it("speaks after it was started and stopped as fast as a person can press, and a checker of accessibility finds nothing", async () => {
    await page.goto(await site.page("fast.html", body));
    await page.waitForFunction(() => document.querySelector("bark-speech")?.shadowRoot);
    await page.evaluate(async () => {
      const speech = document.querySelector<BarkSpeech>("bark-speech")!;
      speech.options = { semantic_max_new_tokens: 6 };
      for (let i = 0; i < 10; i++) {
        void speech.speak();
        await new Promise((resolve) => setTimeout(resolve, 50));
        speech.stop();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    expect(await page.getByRole("button", { name: "Stop" }).isDisabled()).equal(true);
    await told(/^Stopped$/);
    const ended = page.evaluate(
      () => new Promise((resolve) => document.querySelector("bark-speech")!.addEventListener("ended", resolve)),
    );
    // By the keyboard alone.
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await ended;
    expect(await page.evaluate(() => document.querySelector<BarkSpeech>("bark-speech")!.player.position)).above(0.05);
    expect(lines.filter((line) => line.startsWith("error"))).deep.equal([]);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await axeViolations(page)).deep.equal([]);
    }
  });
});
