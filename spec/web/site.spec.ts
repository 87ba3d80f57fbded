import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { decode_wav } from "../../audio/wav_reader.ts";
import { decode_captions } from "../../audio/captions.ts";
import { BarkTTS } from "../../speech/node.ts";
import { launch } from "../../tools/test/chromium.ts";
import { serveFolder, type SiteServer } from "../../tools/web/serve.ts";
import { axeViolations } from "../support/web/axe.ts";
import { builtSite } from "../support/web/site.ts";
import { inWorker, noAdapter } from "../support/web/worker_patches.ts";

const tokens = 12;
const settings = `seed=7&retries=0&semantic_max_new_tokens=${tokens}`;
const sentence = "Hello, this is Bark.";

describe("the site", () => {
  let folder: string;
  let server: SiteServer;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const errors: string[] = [];

  before(async function () {
    this.timeout(300_000);
    folder = await builtSite();
    server = await serveFolder(folder);
    browser = await launch();
    context = await browser.newContext({ acceptDownloads: true });
    page = await context.newPage();
    watch(page);
    await page.goto(`${server.url}#${settings}`);
  });
  after(async () => {
    await browser.close();
    await server.close();
  });

  // Violations of the policy are errors of the console.
  function watch(each: Page): void {
    each.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    each.on("pageerror", (error) => errors.push(String(error)));
  }

  async function downloaded(name: string): Promise<Buffer> {
    const waiting = page.waitForEvent("download");
    await page.click(`li[data-take="1"] .downloads button:text-is("${name}")`);
    return await readFile(await (await waiting).path());
  }

  it("speaks a text, and its WAV file is what the library makes of the seed", async function () {
    this.timeout(300_000);
    await page.fill("textarea", sentence);
    await page.click("button.primary");
    await page.waitForSelector("li[data-take]", { timeout: 0 });
    await page.click("li[data-take] summary");
    const wav = decode_wav(await downloaded("WAV"));
    const samples = wav.audio.data;
    const bark = await BarkTTS.from_pretrained("nano");
    const options = { voice: "en_speaker_1", seed: 7, retries: 0, semantic_max_new_tokens: tokens };
    const expected = await bark.generate(sentence, options);
    bark.dispose();
    expect(wav.sample_rate).equal(24000);
    expect(samples.length).equal(expected.audio.length);
    // Rounding differs from one compiler of shaders to the next, and the file has 16 bits.
    const worst = expected.audio.reduce((most, sample, i) => Math.max(most, Math.abs(sample - samples[i])), 0);
    expect(worst).below(2e-4);
    expect(Math.max(...expected.audio.map(Math.abs))).above(0.01);
  });

  it("gives captions, other sound files and a voice", async function () {
    this.timeout(60_000);
    const [cue] = decode_captions((await downloaded("SRT")).toString());
    expect(cue.text).equal(sentence);
    const [caption] = JSON.parse((await downloaded("JSON")).toString()) as { seed: string; end: number }[];
    expect(caption.seed).equal("7");
    expect((await downloaded("MP3")).subarray(0, 3).toString()).equal("ID3");
    expect((await downloaded("NPZ")).subarray(0, 2).toString()).equal("PK");
    await page.click('button:text-is("Save as a voice")');
    expect(await page.inputValue("select[name=voice]")).equal("from take 1");
  });

  it("stops when it is asked to, and is ready again", async function () {
    this.timeout(60_000);
    await page.click("button.primary");
    await page.waitForSelector(".progress progress");
    await page.click('button:text-is("Stop")');
    await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent === "Stopped");
    expect(await page.isVisible(".progress")).equal(false);
    expect(await page.isEnabled("button.primary")).equal(true);
  });

  it("keeps what was chosen in the address", async () => {
    await page.selectOption("select[name=normalize]", "basic");
    const hash = new URLSearchParams(new URL(page.url()).hash.slice(1));
    expect(Object.fromEntries(hash)).include({ seed: "7", normalize: "basic", text: sentence });
    const other = await context.newPage();
    watch(other);
    await other.goto(page.url());
    expect(await other.inputValue("textarea")).equal(sentence);
    expect(await other.inputValue("input[name=seed]")).equal("7");
    expect(await other.inputValue("select[name=normalize]")).equal("basic");
    await other.close();
  });

  it("has nothing that a checker of accessibility finds, light and dark", async function () {
    this.timeout(60_000);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await axeViolations(page)).deep.equal([]);
    }
  });

  it("fits a screen of 360 pixels", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).equal(360);
  });

  it("works without a network once its checkpoint was fetched", async function () {
    this.timeout(120_000);
    const { url } = server;
    await server.close();
    try {
      await page.goto(`${url}index.html#seed=8`);
      await page.click('button:text-is("Load")');
      const outcome = page.locator(':text("Ready after"):visible, [role=alert]:visible');
      await outcome.waitFor({ timeout: 0 });
      expect(await outcome.innerText()).match(/^Ready after/);
    } finally {
      server = await serveFolder(folder, Number(new URL(url).port));
    }
  });

  it("has a lab that checks and times kernels on this adapter, with their sources", async function () {
    this.timeout(120_000);
    await page.goto(`${server.url}kernels.html`);
    await page.selectOption("select[name=op]", "layernorm");
    await page.click("button.primary");
    await page.waitForFunction(() => /versions checked, 0 wrong/.test(document.body.textContent), null, {
      timeout: 0,
    });
    expect(await page.locator("tbody tr").count()).above(1);
    expect(await page.innerText("pre")).include("@compute");
    expect(await page.locator(".plot svg rect").count()).above(2);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).equal(360);
    expect(await axeViolations(page)).deep.equal([]);
  });

  it("broke no policy, and no console has an error", () => {
    expect(errors).deep.equal([]);
  });

  for (const [what, script, expected] of [
    ["no secure context", 'Object.defineProperty(globalThis, "isSecureContext", { value: false })', /secure page/],
    ["no WebGPU", "delete Navigator.prototype.gpu", /has no WebGPU/],
  ] as const)
    it(`says so where there is ${what}`, async () => {
      const other = await browser.newPage();
      await other.addInitScript(script);
      await other.goto(server.url);
      expect(await other.innerText("[role=alert]")).match(expected);
      expect(await other.isEnabled("button.primary")).equal(false);
      await other.close();
    });

  it("says so where there is no adapter", async function () {
    this.timeout(60_000);
    const other = await browser.newPage({ serviceWorkers: "block" });
    await other.addInitScript(noAdapter);
    await inWorker(other, noAdapter);
    await other.goto(server.url);
    await other.click("button.primary");
    await other.waitForSelector("[role=alert]:visible");
    expect(await other.innerText("[role=alert]")).match(/no graphics adapter/);
    await other.close();
  });
});
