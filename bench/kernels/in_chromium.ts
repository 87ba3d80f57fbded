import path from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "../../tools/test/chromium.ts";
import { outside, serveRepository } from "../../tools/test/server.ts";
import type { Start, Told } from "./process/messages.ts";
import type { work } from "./process/work.ts";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

declare const tell: (told: Told) => Promise<void>;

/** Measures in headless Chromium from npm. @param module of the repository, which exports a `work`. */
export function startInChromium(module: string): Start {
  return async (job, hear, gone) => {
    const files = job.own.map(({ url }) => fileURLToPath(url));
    const browser = await launch();
    const server = await serveRepository(root, { folders: files.map((file) => path.dirname(file)) });
    const own = job.own.map((one, i) => ({ ...one, url: server.addressOf(files[i]) }));
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    const missing = new Set<string>();
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (response.status() === 404) missing.add(decodeURIComponent(pathname).replace(outside, ""));
    });
    page.on("crash", () => gone("the page crashed"));
    browser.on("disconnected", () => gone("the browser ended"));
    await page.exposeFunction("tell", (told: Told) => {
      // What a browser says of an import that failed does not name the file that was missing.
      const fix = `; Chromium sees the module's folder alone, which does not hold ${[...missing].join(", ")}`;
      hear(told.kind === "error" && missing.size > 0 ? { ...told, line: told.line + fix } : told);
    });
    await page.goto(server.url);
    page
      .evaluate(
        async ([address, given]) => {
          const { work: measure } = (await import(address)) as { work: typeof work };
          await measure(given, (told) => void tell(told));
        },
        [module, { ...job, own }] as const,
      )
      .catch((error: unknown) => gone(String(error).split("\n")[0]));
    return {
      runtime: `Chromium ${browser.version()}`,
      end: async () => {
        await browser.close();
        await server.close();
      },
    };
  };
}
