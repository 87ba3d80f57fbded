import path from "node:path";
import { chromium, type Browser } from "playwright-core";
import { unpackChromium } from "../unpack_chromium.ts";
import { MochaRun, parseEvent, type Outcome } from "./report.ts";
import { serveRepository } from "./server.ts";

const limitMs = 25 * 60_000;

/** Runs specs in headless Chromium from npm (WebGPU by SwiftShader). `specs` are relative to the repository root. */
export async function runInChromium(root: string, specs: string[], grep: string | undefined): Promise<Outcome> {
  const run = new MochaRun("chromium");
  const server = await serveRepository(root, { page: { specs, grep } });
  let exit = "";
  try {
    const browser = await launch();
    try {
      exit = await runPage(browser, server.url, run);
    } finally {
      await browser.close();
    }
  } catch (error) {
    exit = String(error);
  } finally {
    await server.close();
  }
  return run.finish(exit);
}

/** Headless Chromium from npm, with WebGPU. */
export async function launch(): Promise<Browser> {
  const folder = await unpackChromium();
  return await chromium.launch({
    executablePath: path.join(folder, "chromium"),
    // The libraries that a bare system lacks (nss, expat). An inherited VK_DRIVER_FILES hides SwiftShader.
    env: { ...process.env, LD_LIBRARY_PATH: path.join(folder, "lib"), VK_DRIVER_FILES: undefined },
    args: [
      "--no-sandbox",
      "--enable-unsafe-webgpu",
      "--enable-features=Vulkan,WebGPU",
      "--disable-background-networking",
      "--disable-dev-shm-usage",
    ],
  });
}

async function runPage(browser: Browser, url: string, run: MochaRun): Promise<string> {
  const page = await browser.newPage();
  const finished = new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve(`no end after ${limitMs / 60_000} minutes`), limitMs);
    page.on("pageerror", (error) => run.fail("(the page)", error.stack ?? error.message));
    page.on("crash", () => resolve("the page crashed"));
    page.on("console", (message) => {
      const event = parseEvent(message.text());
      if (event === undefined) return;
      run.add(event);
      if (event[0] !== "end") return;
      clearTimeout(timer);
      resolve("end");
    });
  });
  await page.goto(url);
  return await finished;
}
