import { fileURLToPath } from "node:url";
import { launch } from "../../tools/test/chromium.ts";
import { serveRepository } from "../../tools/test/server.ts";
import type { PageMeasurements, runInPage } from "./in_page.ts";
import type { KernelSelection } from "./run_all.ts";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

declare const window: { runInPage?: typeof runInPage };

/** Runs the kernels in headless Chromium from npm. @param onLine gets the lines of the table as they come. */
export async function runInChromium(
  selection: KernelSelection,
  onLine: (line: string) => void,
): Promise<PageMeasurements & { readonly runtime: string }> {
  const server = await serveRepository(root, { specs: [], grep: undefined });
  const browser = await launch();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    page.on("console", (message) => message.type() === "log" && onLine(message.text()));
    await page.goto(`${server.url}bench/kernels/in_page.html`);
    await page.waitForFunction(() => window.runInPage !== undefined);
    const measured = await page.evaluate((wanted) => window.runInPage!(wanted), selection);
    return { ...measured, runtime: `Chromium ${browser.version()}` };
  } finally {
    await browser.close();
    await server.close();
  }
}
