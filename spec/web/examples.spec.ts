/** The examples that need no installation, in a real browser. The others: `npm run check:package`. */
import { expect } from "chai";
import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { BarkTTS } from "../../speech/node.ts";
import { heardIn } from "../../tools/package/pages.ts";
import { launch } from "../../tools/test/chromium.ts";
import { openSite, type Site } from "../support/web/site.ts";
import { tapLoudspeaker } from "../support/web/taps.ts";
import { describeInChromium } from "../support/web/chromium.ts";

const tokens = 12;

describeInChromium("examples in a page", function () {
  this.timeout(300_000);
  let site: Site;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];
  before(async () => {
    [site, browser] = await Promise.all([openSite(), launch()]);
  });
  after(async () => {
    await browser.close();
    await site.close();
  });
  beforeEach(async () => {
    errors.length = 0;
    page = await browser.newPage();
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(String(error)));
  });
  afterEach(() => page.close());

  it("script-tag.html: what the loudspeaker gets is what the library makes of the seed", async () => {
    await site.example("script-tag.html");
    await tapLoudspeaker(page);
    await page.goto(`${site.url}/script-tag.html`);
    const { wav, seconds } = await heardIn(page, tokens);
    const bark = await BarkTTS.from_pretrained("nano");
    const options = { voice: "en_speaker_1", seed: 7, retries: 0, semantic_max_new_tokens: tokens };
    const { audio } = await bark.generate("Hello, my dog is cute.", options);
    bark.dispose();
    const heard = await page.evaluate(() => (globalThis as unknown as { heard: number[] }).heard);
    // The page leaves out zeros at the beginning: the sound has none.
    const start = audio.findIndex((sample) => Math.abs(sample) > 0.01);
    const offset = heard.findIndex((sample) => Math.abs(sample) > 0.01) - start;
    expect(offset).within(-200, 200);
    const worst = audio
      .slice(start)
      .reduce((most, sample, i) => Math.max(most, Math.abs(sample - heard[start + offset + i])), 0);
    expect(worst).below(2e-4);
    expect([wav.length, seconds]).deep.equal([44 + 2 * audio.length, audio.length / 24000]);
    expect(errors).deep.equal([]);
  });

  it("extension: its page speaks under the policy of its manifest", async () => {
    await site.example("extension");
    const manifest = JSON.parse(await readFile("examples/extension/manifest.json", "utf8")) as {
      content_security_policy: { extension_pages: string };
      action: { default_popup: string };
    };
    for (const [name, target] of [
      ["bark", ""],
      ["nano", "nano"],
    ])
      await site.link(`extension/${name}`, target);
    const { action, content_security_policy } = manifest;
    await page.goto(site.guarded(`extension/${action.default_popup}`, content_security_policy.extension_pages));
    const { wav, seconds, peak } = await heardIn(page, tokens);
    expect(seconds).equal((wav.length - 44) / 2 / 24000);
    expect(peak).above(0.01);
    expect(errors).deep.equal([]);
  });
});
