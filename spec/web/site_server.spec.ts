import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { decode_wav } from "../../audio/wav_reader.ts";
import { createServer, type BarkHttpServer } from "../../server/index.ts";
import { BarkTTS } from "../../speech/node.ts";
import { launch } from "../../tools/test/chromium.ts";
import { serveFolder, type SiteServer } from "../../tools/web/serve.ts";
import { describeInChromium } from "../support/web/chromium.ts";
import { builtSite } from "../support/web/site.ts";

const sentence = "Hello, this is Bark.";
const options = { voice: "en_speaker_1", seed: 7, retries: 0, semantic_max_new_tokens: 12 } as const;

describeInChromium("the site with a server of one's own", () => {
  let site: SiteServer;
  let bark: BarkTTS;
  let server: BarkHttpServer;
  let address: string;
  let browser: Browser;
  let page: Page;

  before(async function () {
    this.timeout(300_000);
    site = await serveFolder(await builtSite());
    bark = await BarkTTS.from_pretrained("nano");
    server = await createServer(bark, { api_keys: ["secret"], cors: [new URL(site.url).origin] });
    address = (await server.listen({ port: 0 })).url;
    browser = await launch();
    page = await browser.newPage();
    // A browser without WebGPU can ask a server, too.
    await page.addInitScript(() => Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined }));
    const { seed, retries, semantic_max_new_tokens } = options;
    const settings = { seed, retries, semantic_max_new_tokens, voice: options.voice, model: address };
    await page.goto(`${site.url}#${new URLSearchParams(Object.entries(settings).map(([k, v]) => [k, String(v)]))}`);
  });
  after(async () => {
    await browser.close();
    await server.close();
    bark.dispose();
    await site.close();
  });

  it("says what the server says, and keeps the key out of the address", async function () {
    this.timeout(60_000);
    await page.fill("textarea", sentence);
    await page.click("button.primary");
    await page.waitForSelector('[role=alert]:text("Send a key")');
    await page.fill("input[name=key]", "secret");
    expect(page.url()).include(encodeURIComponent(address)).not.include("secret");
  });

  it("speaks what the library speaks, with the server's voices and its captions", async function () {
    this.timeout(300_000);
    await page.click("button.primary");
    await page.waitForSelector("li[data-take]", { timeout: 0 });
    expect(await page.textContent('[aria-label="Read along"], .transcript')).include("Hello");
    await page.click("li[data-take] summary");
    const waiting = page.waitForEvent("download");
    await page.click('li[data-take] .downloads button:text-is("WAV")');
    const wav = decode_wav(await readFile(await (await waiting).path()));
    const expected = await bark.generate(sentence, options);
    expect(wav.audio.data.length).equal(expected.audio.length);
    const worst = expected.audio.reduce((most, sample, i) => Math.max(most, Math.abs(sample - wav.audio.data[i])), 0);
    expect(worst).below(1e-4);
  });

  it("tells how to start one where none answers", async function () {
    this.timeout(60_000);
    await page.fill("input[name=server]", "http://127.0.0.1:9");
    await page.click("button.primary");
    await page.waitForSelector('[role=alert]:text("bark serve --cors")');
  });
});
