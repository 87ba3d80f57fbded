import { spawn } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Browser, Page } from "playwright-core";

const limitMs = 180_000;

const mimeTypes: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript" };

/** Serves the files of a folder as they are, without ranges, while `work` runs. */
export async function serving<T>(folder: string, work: (address: string) => Promise<T>): Promise<T> {
  const server = http.createServer((request, response) => {
    const file = path.join(folder, decodeURIComponent(new URL(request.url!, "http://localhost").pathname));
    void stat(file)
      .then(async (found) => {
        const bytes = await readFile(found.isDirectory() ? path.join(file, "index.html") : file);
        const type = mimeTypes[path.extname(file)] ?? (found.isDirectory() ? "text/html" : "application/octet-stream");
        response.writeHead(200, { "Content-Type": type }).end(bytes);
      })
      .catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Runs a development server of the project, which prints its address, while `work` runs. */
export async function servedBy<T>(
  command: readonly string[],
  cwd: string,
  work: (address: string) => Promise<T>,
): Promise<T> {
  const child = spawn(process.execPath, command, { cwd, env: { ...process.env, NO_COLOR: "1" } });
  let output = "";
  const address = new Promise<string>((resolve, reject) => {
    const look = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = /http:\/\/[\w.]+:\d+/.exec(output);
      if (found !== null) resolve(found[0]);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.on("close", () => reject(new Error(`${command.join(" ")} ended:\n${output}`)));
  });
  try {
    return await work(await address);
  } finally {
    child.kill();
  }
}

/** What a page prints, up to a line that begins with `SAMPLES` or with `[`. @throws Error if an error comes first. */
export async function printedBy(browser: Browser, address: string): Promise<string> {
  return await visit(browser, address, async (page, failed) => {
    const printed = page.waitForEvent("console", {
      predicate: (message) => /^(SAMPLES|\[\d)/.test(message.text()),
      timeout: limitMs,
    });
    return (await Promise.race([printed, failed])).text();
  });
}

/** The WAV file that a page gives to its audio element. @throws Error with the text of the page if it gives none. */
export async function soundOf(browser: Browser, address: string): Promise<Uint8Array> {
  return await visit(browser, address, async (page, failed) => {
    const ready = page.waitForFunction(() => document.querySelector("audio")?.src, null, { timeout: limitMs });
    await Promise.race([ready, failed]).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; the page says: ${await page.innerText("body")}`);
    });
    const bytes = await page.evaluate(async () => {
      const file = await fetch(document.querySelector("audio")!.src);
      return Array.from(new Uint8Array(await file.arrayBuffer()));
    });
    return Uint8Array.from(bytes);
  });
}

async function visit<T>(
  browser: Browser,
  address: string,
  work: (page: Page, failed: Promise<never>) => Promise<T>,
): Promise<T> {
  const page = await browser.newPage();
  const failed = new Promise<never>((_resolve, reject) => {
    page.on("pageerror", (error) => reject(new Error(`${address}: ${error.message}`)));
    page.on("crash", () => reject(new Error(`${address}: the page crashed`)));
  });
  failed.catch(() => undefined); // It may come when nobody waits any more.
  try {
    await page.goto(address);
    return await work(page, failed);
  } finally {
    await page.close();
  }
}
