import path from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "../../../tools/test/chromium.ts";
import { serveRepository } from "../../../tools/test/server.ts";
import type { Prepare } from "../contender.ts";
import { onnxInputShape } from "./onnx_models.ts";
import { onnxFile } from "./ort.ts";
import { tensorsOf, valuesOf } from "../../measure/work.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/[/\\]$/, "");

/** What ort_web.html puts on its window. */
interface PeerWindow {
  ready?: boolean;
  prepare(file: string, input: number[], shape: number[]): Promise<string>;
  run(): Promise<{ milliseconds: number; sample: number[] }>;
}
declare const window: PeerWindow;

/** onnxruntime-web by its WebGPU provider, in the Chromium that npm installs, on the adapter that it takes. */
export const prepareOrtWeb: Prepare = async (work, folder) => {
  const file = await onnxFile(work, folder, "fused");
  const server = await serveRepository(root);
  const browser = await launch();
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(`${server.url}bench/peers/engines/ort_web.html`);
  await page.waitForFunction(() => window.ready === true);
  const url = `/${path.relative(root, file).split(path.sep).join("/")}`;
  const input = Array.from(valuesOf(tensorsOf(work)["x"]));
  const device = await page.evaluate(([url, input, shape]) => window.prepare(url, input, shape), [
    url,
    input,
    onnxInputShape(work),
  ] as [string, number[], number[]]);
  return {
    device: `${device} (Chromium ${browser.version()})`,
    run: async () => (await page.evaluate(() => window.run())).sample,
  };
};
