import path from "node:path";
import { build, type Plugin } from "esbuild";
import { onTopOf } from "./on_top_of.ts";
import { replacing, sharedOptions, withoutEncoders } from "./shared.ts";
import type { ShaderPack } from "./shaders.ts";

/**
 * `element.js` with its worker and AudioWorklet in files of their own, for pages that take them as they are. The worker is in
 * parts, of which a page fetches what it needs: as one file it is twice as large. Bundlers leave such parts behind, so they
 * get `element_for_bundlers.js` on `index.js`.
 */
export async function bundleElement(root: string, folder: string, pack: ShaderPack): Promise<void> {
  const shared = sharedOptions(folder);
  const element = path.join(root, "web/element/index.ts");
  const worker = path.join(root, "web/worker.ts");
  const worklet = { ...shared, entryPoints: { player_worklet: path.join(root, "web/player/player_worklet.ts") } };
  await build({ ...worklet, sourcemap: false });
  await build({
    ...shared,
    entryPoints: { element, element_worker: worker },
    splitting: true,
    chunkNames: "chunks/element-[name]-[hash]",
    plugins: [
      pack.plugin(await pack.texts()),
      replacing("addresses", addresses, fileAddresses),
      withoutEncoders(/[/\\]encode[/\\]encoder\.ts$/),
      replacing("without rates", /[/\\]audio[/\\]resample\.ts$/, noRates),
      onTopOf(worker, /\/connection\.ts$/),
    ],
  });
  const { outputFiles } = await build({ ...worklet, sourcemap: false, write: false });
  await build({
    ...shared,
    entryPoints: { element_for_bundlers: element },
    plugins: [
      replacing("addresses", addresses, "export const workletUrl = undefined;"),
      replacing("worker", /[/\\]element[/\\]worker\.ts$/, "export const workerOptions = {};"),
      replacing("worklet text", /[/\\]worklet_text\.ts$/, textModule(outputFiles[0].text)),
      onIndex,
    ],
  });
}

const addresses = /[/\\]web[/\\]addresses\.ts$/;
const fileAddresses = `
  export const workerUrl = new URL("./element_worker.js", import.meta.url);
  export const workletUrl = new URL("./player_worklet.js", import.meta.url);`;

/** A worker reads no sound, and the library that changes rates has 2 MB. */
export const noRates = 'export async function resample() { throw new Error("sound of another rate"); }';

function textModule(text: string): string {
  return `export const workletText = ${JSON.stringify(text)};`;
}

/** What a bundler has anyway. */
const onIndex: Plugin = {
  name: "on index.js",
  setup: (build) => {
    build.onResolve({ filter: /\/(bark_worker|errors)\.ts$/ }, () => ({ path: "./index.js", external: true }));
  },
};
