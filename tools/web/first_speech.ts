/**
 * What a page with the element downloads until it has spoken, without weights: `npx tsx tools/web/first_speech.ts`. Each file
 * gzipped, as a host sends it: at once, and later.
 */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { gzipSync } from "node:zlib";
import { openSite } from "../../spec/support/web/site.ts";
import { launch } from "../test/chromium.ts";

const asked = new Set<string>();
// A browser's tools do not show what its workers fetch; this server does.
subscribe("http.server.request.start", (message) => {
  const { request } = message as { request: IncomingMessage };
  asked.add(new URL(request.url!, "http://host").pathname);
});

const [site, browser] = await Promise.all([openSite(), launch()]);
const page = await browser.newPage();
const element = '<bark-speech model="/nano/" voice="en_speaker_1" seed="7">Hello, my dog is cute.</bark-speech>';
await page.goto(await site.page("first.html", `<script type="module" src="/element.js"></script>${element}`));
await page.waitForLoadState("networkidle");
const early = new Set(asked);
await page.locator("bark-speech").getByText("Speak", { exact: true }).click();
await page.getByText("seconds of speech").waitFor({ timeout: 300_000 });

let [sum, first] = [0, 0];
const files = [...asked].filter((file) => file.endsWith(".js") && file !== "/nano/index.js");
for (const file of files) {
  const content = await (await fetch(new URL(file, site.url))).arrayBuffer();
  const bytes = gzipSync(content, { level: 9 }).length;
  sum += bytes;
  if (early.has(file)) first += bytes;
  console.log(`${String(bytes).padStart(6)} ${early.has(file) ? "at once" : "later  "} ${file}`);
}
console.log(`${first} bytes at once, ${sum} until it has spoken, ${files.length} files`);
await browser.close();
await site.close();
