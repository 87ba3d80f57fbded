import { spawn } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import type { BarkSpeech } from "../../web/element/index.ts";
import { checkWav } from "./speech.ts";

const limitMs = 180_000;

const mimeTypes: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
};

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

export interface Heard {
  /** What the element offers for download. */
  readonly wav: Uint8Array;
  readonly seconds: number;
  /** The loudest sample that went to the loudspeaker. */
  readonly peak: number;
}

/**
 * Presses "Speak" of a page's element and listens to the end.
 * @param tokens of speech at most. @throws Error for an error of the element.
 */
export async function heardIn(page: Page, tokens = 40): Promise<Heard> {
  await page.waitForFunction(() => document.querySelector("bark-speech")?.shadowRoot);
  const heard = page.evaluate(async (semantic_max_new_tokens) => {
    const speech = document.querySelector<BarkSpeech>("bark-speech")!;
    speech.options = { semantic_max_new_tokens, retries: 0 };
    let meter: AnalyserNode | undefined;
    speech.addEventListener("chunk", () => {
      if (meter !== undefined) return;
      void speech.player.node.then((node) => {
        meter = new AnalyserNode(node.context, { fftSize: 32768 });
        node.connect(meter);
      });
    });
    let peak = 0;
    const samples = new Float32Array(32768);
    setInterval(() => {
      meter?.getFloatTimeDomainData(samples);
      peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), peak);
    }, 100);
    await new Promise((resolve, reject) => {
      speech.addEventListener("ended", resolve);
      speech.addEventListener("error", (event) => reject(new Error(String((event as unknown as CustomEvent).detail))));
    });
    const wav = Array.from(new Uint8Array(await speech.toBlob().arrayBuffer()));
    return { wav, seconds: speech.player.position, peak };
  }, tokens);
  heard.catch(() => undefined); // It may come before the click is done.
  await page.getByRole("button", { name: "Speak" }).click();
  const { wav, ...more } = await heard;
  return { wav: Uint8Array.from(wav), ...more };
}

/** The same of the page at an address. @throws Error if the page fails, or what is heard is not what was made. */
export async function checkHeard(browser: Browser, address: string): Promise<void> {
  const heard = await visit(browser, address, async (page, failed) => await Promise.race([heardIn(page), failed]));
  checkSound(heard);
}

/** @throws Error if it is no speech, or another length was heard than was made. */
export function checkSound({ wav, seconds, peak }: Heard): void {
  checkWav(wav);
  const made = (wav.length - 44) / 2 / 24000;
  if (Math.abs(seconds - made) > 0.01 || peak < 0.03)
    throw new Error(`${seconds} s of ${made} s were heard, the loudest sample was ${peak}`);
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
