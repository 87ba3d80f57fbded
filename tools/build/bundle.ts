import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { bundleElement } from "./element.ts";
import { ShaderPack } from "./shaders.ts";
import { onTopOf } from "./on_top_of.ts";
import { sharedOptions, withoutEncoders } from "./shared.ts";

/** The entries for pages and the worker, bundled with their dependencies, so that a page needs nothing but them. */
export async function bundleForPages(root: string, folder: string): Promise<void> {
  const pack = new ShaderPack(root);
  const entryPoints = {
    index: path.join(root, "speech/web.ts"),
    engine: path.join(root, "engine/web.ts"),
    kernels: path.join(root, "kernels/index.ts"),
  };
  const shared = sharedOptions(folder);
  const common = { ...shared, entryPoints, splitting: true, chunkNames: "chunks/[name]-[hash]" };
  // Which shaders there are is known when all modules were read.
  await build({ ...common, write: false, plugins: [pack.plugin({}), withoutEncoders(opusOfNode)] });
  const packed = pack.plugin(await pack.texts());
  const worker: BuildOptions = {
    ...shared,
    entryPoints: { worker: path.join(root, "web/worker.ts") },
    plugins: [packed, withoutNano, withoutEncoders(/[/\\]encode[/\\]encoder\.ts$/)],
  };
  await build(worker);
  const { outputFiles } = await build({ ...worker, sourcemap: false, write: false });
  await build({
    ...common,
    plugins: [packed, holding(outputFiles[0].text), withoutEncoders(opusOfNode), onTopOf(entryPoints.index)],
  });
  await bundleElement(root, folder, pack);
  await finishModules(folder, 2);
  await writeFile(path.join(folder, "worker.d.ts"), 'export type * from "../speech/worker/protocol.js";\n');
}

/** Chunks without a source of ours: a map of them is of no use, and 2 MB. */
const unmapped = /^(libsamplerate|worker_text)-/;

/** @param expected how many bundles import an address: bark/load/nano.ts does, once in each that holds it. */
export async function finishModules(folder: string, expected: number): Promise<void> {
  const files = await readdir(folder, { recursive: true });
  let imports = 0;
  for (const name of files.filter((file) => file.endsWith(".js"))) {
    const file = path.join(folder, name);
    const text = await readFile(file, "utf8");
    // esbuild drops the comments that keep Vite and webpack from warning of an address that they cannot follow.
    let finished = text.replaceAll(/\bimport\((\w+)\)/g, (_match, address: string) => {
      imports++;
      return `import(/* @vite-ignore */ /* webpackIgnore: true */ ${address})`;
    });
    if (unmapped.test(path.basename(name))) {
      finished = finished.replace(/\/\/# sourceMappingURL=.*\n?$/, "");
      await rm(`${file}.map`);
    }
    if (finished !== text) await writeFile(file, finished);
  }
  if (imports !== expected) throw new Error(`${imports} imports of an address in the bundles, not ${expected}`);
}

/** The page tells a worker where the files of nano are: a worker that imported them would not be one file. */
const withoutNano: Plugin = {
  name: "without nano",
  setup: (build) => {
    build.onLoad({ filter: /[/\\]load[/\\]nano\.ts$/ }, () => ({
      contents: `
        import { EngineError } from "../../engine/errors.ts";
        export async function openNano() {
          throw new EngineError("usage", "a worker learns from its page where nano is", { fix: "use BarkWorker" });
        }`,
      loader: "ts",
      resolveDir: "bark/load",
    }));
  },
};

/** It reads a file of its package. Pages have WebCodecs instead. */
const opusOfNode = /[/\\]encode[/\\]opus_encoder\.ts$/;

/** The worker's text in the module from which BarkWorker makes its default worker. */
function holding(workerText: string): Plugin {
  return {
    name: "worker text",
    setup: (build) => {
      build.onLoad({ filter: /[/\\]worker[/\\]worker_text\.ts$/ }, () => ({
        contents: `export const workerText = ${JSON.stringify(workerText)};`,
        loader: "ts",
      }));
    },
  };
}
