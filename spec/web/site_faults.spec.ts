/** What goes wrong on the site, and what people do with it that a demonstration does not. */
import { expect } from "chai";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { writeNpz } from "../../checkpoint/numpy/npz.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { launch } from "../../tools/test/chromium.ts";
import { serveFolder, type SiteServer } from "../../tools/web/serve.ts";
import { repositoryOf, serveHub, type LoopbackHub } from "../support/hub/hub_server.ts";
import { builtSite } from "../support/web/site.ts";
import { inWorker, losesDevice, tooSmall } from "../support/web/worker_patches.ts";
import { describeInChromium } from "../support/web/chromium.ts";

const settings = "seed=7&retries=0&semantic_max_new_tokens=6";

/** A headless browser hides no page: what browsers do to one that is hidden. */
const hidden = `
  Object.defineProperty(document, "visibilityState", { value: "hidden" });
  Object.defineProperty(document, "hidden", { value: true });
  globalThis.requestAnimationFrame = () => 0;
  const { setTimeout: later } = globalThis;
  globalThis.setTimeout = (work, wait = 0, ...more) => later(work, Math.max(1000, wait), ...more);`;

describeInChromium("the site, where something is wrong", function () {
  this.timeout(300_000);
  let server: SiteServer;
  let browser: Browser;
  let context: BrowserContext;
  let folder: string;
  const errors: string[] = [];
  /** What is heard of "Hello." where nothing is wrong. */
  let alone = "";
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bark-files-"));
    server = await serveFolder(await builtSite());
    browser = await launch();
    // Routes see no request that a service worker answers.
    context = await browser.newContext({ serviceWorkers: "block" });
  });
  after(async () => {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true });
  });
  afterEach(() => expect(errors.splice(0)).deep.equal([]));

  async function opened(hash = settings, prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(200_000);
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      // A request that is refused on purpose is told here.
      if (message.type() === "error" && !/Failed to load resource/.test(message.text())) errors.push(message.text());
    });
    await prepare?.(page);
    await page.goto(`${server.url}#${hash}`);
    return page;
  }

  const problem = async (page: Page): Promise<string> => {
    await page.waitForSelector("[role=alert]:visible");
    return await page.innerText("[role=alert]");
  };

  describe("one page", () => {
    let page: Page;
    before(async () => (page = await opened()));
    after(() => page.close());

    it("speaks by the keyboard alone, and Escape stops", async () => {
      const focused = (): Promise<string> =>
        page.evaluate(() => document.activeElement?.getAttribute("name") ?? document.activeElement?.textContent ?? "");
      const reach = async (name: string): Promise<void> => {
        for (let i = 0; i < 30 && (await focused()) !== name; i++) await page.keyboard.press("Tab");
        expect(await focused()).equal(name);
      };
      await page.keyboard.press("Tab");
      expect(await focused()).equal("Skip to the content");
      await reach("text");
      await page.keyboard.press("Control+A");
      await page.keyboard.type("Hello.");
      await reach("Speak");
      await page.keyboard.press("Enter");
      await page.waitForSelector('li[data-take="1"]');
      await reach("Save as a voice");
      await page.keyboard.press("Space");
      expect(await page.inputValue("select[name=voice]")).equal("from take 1");
      await page.selectOption("select[name=voice]", "en_speaker_1");
      await page.focus("textarea");
      await page.keyboard.press("Control+Enter");
      await page.waitForSelector(".progress:visible");
      await page.keyboard.press("Escape");
      await page.waitForSelector(".progress", { state: "hidden" });
      expect(await page.isDisabled('button:text-is("Stop")')).equal(true);
    });

    it("stops a take that is played again", async () => {
      // In one turn of the page: the take may be over by the next.
      const wasDisabled = await page.evaluate(() => {
        document.querySelector<HTMLButtonElement>('li[data-take="1"] button[aria-label^="Play"]')!.click();
        return document.querySelector<HTMLButtonElement>("button.primary + button")!.disabled;
      });
      expect(wasDisabled).equal(false);
    });

    it("takes a text of a megabyte, and stops it", async () => {
      await page.evaluate(() => {
        document.querySelector("textarea")!.value = "Hello, my dog is cute. ".repeat(45_000);
      });
      await page.click("button.primary");
      await page.waitForFunction(() => /^Part 1 of \d{4}/.test(document.querySelector(".progress span")!.textContent));
      expect(await page.evaluate(() => document.querySelector(".transcript")!.textContent.length)).below(10_000);
      await page.click('button:text-is("Stop")');
      await page.waitForSelector(".progress", { state: "hidden" });
    });

    it("says that nothing of a text is in the vocabulary", async () => {
      await page.fill("textarea", "☃ ☃ ☃");
      await page.click("button.primary");
      expect(await problem(page)).match(/holds no word of the checkpoint's vocabulary/);
      expect(await page.isVisible(".player, .transcript")).equal(false);
      await page.fill("textarea", " ");
      await page.click("button.primary");
      expect(await problem(page)).equal("There is no text to speak");
    });

    it("refuses the voice of another checkpoint, and a file that is none", async () => {
      const prompt = (rows: number, value: number) =>
        new NdArray(new Int32Array(rows * 30).fill(value), rows === 1 ? [30] : [rows, 30]);
      const arrays = { semantic_prompt: prompt(1, 9000), coarse_prompt: prompt(2, 1), fine_prompt: prompt(8, 1) };
      const voice = page.locator("input[accept='.npz']");
      await page.fill("textarea", "Hello.");
      const refused: string[] = [];
      for (const [name, buffer] of [
        ["other.npz", Buffer.from(writeNpz(arrays))],
        ["none.npz", Buffer.from("no voice")],
      ] as const) {
        await voice.setInputFiles({ name, mimeType: "application/zip", buffer });
        await page.waitForFunction(
          (wanted) => document.querySelector<HTMLSelectElement>("select[name=voice]")!.value === wanted,
          name.replace(".npz", ""),
        );
        await page.click("button.primary");
        refused.push(await problem(page));
      }
      expect(refused[0]).match(/semantic.*9000|9000/);
      expect(refused[1]).match(/npz|zip/i);
    });

    it("refuses a folder without weights, and takes one that is dropped", async () => {
      const empty = path.join(folder, "empty");
      await cp("models/nano", empty, { recursive: true, filter: (file) => !file.endsWith(".safetensors") });
      await drop(page, empty);
      expect(await page.inputValue("select[name=model]")).equal("local");
      await page.click('button:text-is("Load")');
      expect(await problem(page)).match(/^empty: .*model\.safetensors/);
      await drop(page, path.resolve("models/nano"));
      await page.selectOption("select[name=voice]", "");
      await page.fill("textarea", "Hello.");
      await page.click("button.primary");
      await page.waitForSelector('li[data-take="3"], li[data-take="2"]');
      expect(await page.innerText("li[data-take]:first-child .help")).match(/^nano · none/);
    });
  });

  /** Drops a file or folder of this computer on the page, as the browser itself tells of it. */
  async function drop(page: Page, file: string): Promise<void> {
    const session = await context.newCDPSession(page);
    const data = { items: [], files: [file], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const)
      await session.send("Input.dispatchDragEvent", { type, x: 100, y: 100, data });
    await session.detach();
    await page.waitForFunction((name) => document.body.textContent.includes(`${name}: `), path.basename(file));
  }

  it("says so where the adapter is too small, with what is needed", async () => {
    const page = await opened(settings, (each) => inWorker(each, tooSmall));
    await page.click("button.primary");
    expect(await problem(page)).match(/adapter is too small for this model: .*at most 100000 bytes/);
    await page.close();
  });

  it("two pages speak at once, one of them out of sight, and say what each says alone", async () => {
    const pages = await Promise.all([opened(), opened(settings, (page) => page.addInitScript(hidden))]);
    for (const page of pages) await page.fill("textarea", "Hello.");
    for (const page of pages)
      await page.evaluate(() => document.querySelector<HTMLButtonElement>("button.primary")!.click());
    const sounds = await Promise.all(pages.map(heard));
    expect(sounds[0].length).above(1000);
    expect(sounds[1]).equal(sounds[0]);
    alone = sounds[0];
    for (const page of pages) await page.close();
  });

  it("speaks on after the computer slept in the middle of a sentence, to the same sound", async () => {
    const page = await opened();
    await page.fill("textarea", "Hello.");
    await page.click("button.primary");
    await page.waitForFunction(() => /^Part 1 of/.test(document.querySelector(".progress span")!.textContent));
    const group = groupOfChromium();
    process.kill(-group, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 3000));
    process.kill(-group, "SIGCONT");
    expect(await heard(page)).equal(alone);
    await page.close();
  });

  it("opens a device that is lost in mid-sentence anew: the same sound, and one notice", async () => {
    const page = await opened(settings, (each) => inWorker(each, losesDevice));
    await page.fill("textarea", "Hello.");
    await page.evaluate(() => {
      const said = ((window as unknown as { said: string[] }).said = []) as string[];
      const status = document.querySelector("[role=status]")!;
      new MutationObserver(() => {
        if (said.at(-1) !== status.textContent) said.push(status.textContent);
      }).observe(status, { childList: true, characterData: true, subtree: true });
    });
    await page.click("button.primary");
    await page.waitForFunction(() => /^Part 1 of/.test(document.querySelector(".progress span")!.textContent));
    await page.evaluate(() => new BroadcastChannel("lose").postMessage(null));
    expect(await heard(page)).equal(alone);
    const said = await page.evaluate(() => (window as unknown as { said: string[] }).said);
    expect(said.filter((line) => line.includes("lost"))).length(1);
    expect(await page.isVisible("[role=alert]")).equal(false);
    await page.close();
  });

  /** The WAV of the newest take, once it is there. */
  async function heard(page: Page): Promise<string> {
    await page.waitForSelector("li[data-take]");
    await page.click("li[data-take] summary");
    const waiting = page.waitForEvent("download");
    await page.click('li[data-take] .downloads button:text-is("WAV")');
    return (await readFile(await (await waiting).path())).toString("base64");
  }

  /** All processes of this spec's Chromium: other specs have their own. */
  function groupOfChromium(): number {
    const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ");
    const isChromium = (pid: string): boolean => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--headless");
    return Number(children.find(isChromium));
  }

  describe("with a model of the hub", () => {
    const model = "model=someone%2Fnano";
    let hub: LoopbackHub;
    let weights = 0;
    let isGone = false;
    /** Told that the weights are asked for, which then never come. */
    let onHang: (() => void) | undefined;
    before(async () => {
      hub = await serveHub({ "someone/nano": await repositoryOf("models/nano") });
      await context.route("https://huggingface.co/**", async (route) => {
        const { pathname, search } = new URL(route.request().url());
        const isWeights = pathname.endsWith(".safetensors");
        if (isGone) return await route.abort("internetdisconnected");
        // The connection breaks once in the middle of the download.
        if (isWeights && weights++ === 0) return await route.abort("connectionreset");
        if (isWeights && onHang !== undefined) return onHang();
        const response = await route.fetch({ url: `${hub.url}${pathname}${search}` });
        await route.fulfill({ response });
      });
    });
    after(() => hub.close());

    it("goes on where the network broke, keeps the model, and speaks without a network then", async () => {
      const page = await opened(`${settings}&${model}`);
      expect(await page.inputValue("input[name=repository]")).equal("someone/nano");
      await page.click('button:text-is("Load")');
      await page.waitForSelector(':text("Ready after"):visible');
      expect(weights).above(1);
      const asked = hub.asked.filter(({ url }) => url.endsWith("/config.json")).length;
      await page.waitForSelector('button[aria-label="Delete someone/nano"]');
      expect(await page.innerText('li:has(button[aria-label="Delete someone/nano"])')).match(/2\d MB/);
      isGone = true;
      await page.reload();
      await page.click('button:text-is("Load")');
      await page.waitForSelector(':text("Ready after"):visible');
      expect(hub.asked.filter(({ url }) => url.endsWith("/config.json")).length).equal(asked);
      await page.click('button[aria-label="Delete someone/nano"]');
      await page.waitForSelector(':text("None. Models of the Hub"):visible');
      isGone = false;
      await page.close();
    });

    it("is whole in the next tab after one was closed in the middle of the download, and one in the middle of speech", async () => {
      const begun = async (): Promise<Page> => {
        const page = await opened(`${settings}&${model}`);
        await page.fill("textarea", "Hello.");
        await page.click("button.primary");
        return page;
      };
      const asked = new Promise<void>((resolve) => (onHang = resolve));
      const first = await begun();
      await asked;
      await first.close();
      onHang = undefined;
      const second = await begun();
      await second.waitForFunction(() => /^Part 1 of/.test(document.querySelector(".progress span")!.textContent));
      await second.close();
      const third = await begun();
      expect(await heard(third)).equal(alone);
      await third.click('button[aria-label="Delete someone/nano"]');
      await third.waitForSelector(':text("None. Models of the Hub"):visible');
      await third.close();
    });

    it("speaks where the browser has no room for the weights, and says that they are not kept", async () => {
      const full = `Cache.prototype.put = async () => { throw new DOMException("no room", "QuotaExceededError"); }`;
      const page = await opened(`${settings}&${model}`, (each) => inWorker(each, full));
      const notices = page.evaluate(
        () =>
          new Promise<string>((resolve) => {
            const status = document.querySelector("[role=status]")!;
            new MutationObserver(() => {
              if (/does not store/.test(status.textContent)) resolve(status.textContent);
            }).observe(status, { childList: true, characterData: true, subtree: true });
          }),
      );
      await page.click('button:text-is("Load")');
      await page.waitForSelector(':text("Ready after"):visible');
      expect(await notices).match(/no room.*fetched each time/);
      expect(await page.isVisible(':text("None. Models of the Hub")')).equal(true);
      await page.close();
    });
  });
});
