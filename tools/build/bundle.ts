import { writeFile } from "node:fs/promises";
import path from "node:path";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { ShaderPack } from "./shaders.ts";

const nano = "bark-webgpu-nano";

/** The entries for pages and the worker, bundled with their dependencies, so that a page needs nothing but them. */
export async function bundleForPages(root: string, folder: string): Promise<void> {
  const pack = new ShaderPack(root);
  const entryPoints = {
    index: path.join(root, "bark/web.ts"),
    engine: path.join(root, "engine/web.ts"),
    kernels: path.join(root, "kernels/index.ts"),
  };
  const shared: BuildOptions = {
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: true,
    external: [nano],
    // "sideEffects" of package.json is about the files of dist/: of the sources it would drop the imports that set hosts.
    ignoreAnnotations: true,
    outdir: folder,
    logLevel: "warning",
  };
  const common = { ...shared, entryPoints, splitting: true, chunkNames: "chunks/[name]-[hash]" };
  // Which shaders there are is known when all modules were read.
  await build({ ...common, write: false, plugins: [pack.plugin({})] });
  const packed = pack.plugin(await pack.texts());
  await build({
    ...shared,
    entryPoints: { worker: path.join(root, "web/worker.ts") },
    plugins: [packed, withoutNano],
  });
  const { outputFiles } = await build({
    ...shared,
    sourcemap: false,
    write: false,
    entryPoints: { worker: path.join(root, "web/worker.ts") },
    plugins: [packed, withoutNano],
  });
  await build({ ...common, plugins: [packed, holding(outputFiles[0].text)] });
  await writeFile(path.join(folder, "worker.d.ts"), 'export type * from "../bark/worker/protocol.js";\n');
}

/** The page tells a worker where the files of nano are: a worker that imported them would not be one file. */
const withoutNano: Plugin = {
  name: "without nano",
  setup: (build) => {
    build.onLoad({ filter: /[/\\]load[/\\]nano\.ts$/ }, () => ({
      contents: `
        import { EngineError } from "../../engine/errors.ts";
        export async function nanoFiles() {
          throw new EngineError("usage", "a worker is told by its page where nano is", { fix: "use BarkWorker" });
        }`,
      loader: "ts",
      resolveDir: "bark/load",
    }));
  },
};

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
