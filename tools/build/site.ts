import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { build, type Plugin } from "esbuild";
import { noRates } from "./element.ts";
import { onTopOf } from "./on_top_of.ts";
import { replacing, sharedOptions, withoutEncoders } from "./shared.ts";
import { ShaderPack } from "./shaders.ts";

/** What a page of the site may do (CSP level 3). WebAssembly is for encoders of sound files alone. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src blob:",
  "manifest-src 'self'",
  "connect-src 'self' https: http://127.0.0.1:* http://localhost:*",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const pages = ["index.html", "kernels.html"];
const statics = ["site.css", "icon.svg"];

/** The site in a folder that any host of static files serves, at any address. */
export async function buildSite(root: string, folder: string, more: { connect?: string } = {}): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const pack = new ShaderPack(root);
  const site = path.join(root, "web/site");
  const entries = {
    main: path.join(site, "main.ts"),
    worker: path.join(root, "web/worker.ts"),
    lab: path.join(site, "lab/main.ts"),
  };
  const bundle = async (
    entryPoints: Readonly<Record<string, string>>,
    shaders: Plugin,
    write = true,
  ): Promise<void> => {
    const [name] = Object.keys(entryPoints);
    await build({
      ...sharedOptions(folder),
      ...{ entryPoints, external: [], splitting: true, chunkNames: `${name}-[name]-[hash]`, write },
      plugins: [
        shaders,
        replacing("addresses", /[/\\]web[/\\]addresses\.ts$/, addresses),
        withoutEncoders(name === "worker" ? /[/\\]encode[/\\]encoder\.ts$/ : /[/\\]encode[/\\]opus_encoder\.ts$/),
        replacing("without rates", /[/\\]audio[/\\]resample\.ts$/, noRates),
        nanoBeside,
        mp3Beside,
        ...(write ? [onTopOf(entryPoints[name])] : []),
      ],
    });
  };
  // Which shaders there are is known when all modules were read.
  await bundle(entries, pack.plugin({}), false);
  const { main, worker, lab } = entries;
  await bundle({ main }, pack.plugin(await pack.texts()));
  await bundle({ worker }, pack.plugin(await pack.texts()));
  // People read the lab's shaders: with their comments.
  await bundle({ lab }, pack.plugin(await pack.texts({ whole: true })));
  const alone = { ...sharedOptions(folder), sourcemap: false };
  await build({ ...alone, entryPoints: { player_worklet: path.join(root, "web/player/player_worklet.ts") } });
  await cp(path.join(root, "node_modules/wasm-media-encoders/wasm/mp3.wasm"), path.join(folder, "mp3.wasm"));
  for (const name of statics) await cp(path.join(site, name), path.join(folder, name));
  const connect = more.connect === undefined ? policy : policy.replace("connect-src", `connect-src ${more.connect}`);
  for (const name of pages) {
    const html = await readFile(path.join(site, name), "utf8");
    await writeFile(path.join(folder, name), html.replace("POLICY", connect));
  }
  await copyNano(root, folder);
  // The page makes no AAC and no FLAC, whose encoders are half of the code.
  const isKept = (name: string): boolean =>
    /\.(html|js|css|svg|wasm)$/.test(name) && !/-(aac|flac)-encoder-/.test(name);
  const files = (await readdir(folder)).filter(isKept).sort();
  await build({
    ...alone,
    entryPoints: { service_worker: path.join(site, "service_worker.ts") },
    format: "iife",
    define: {
      siteFiles: JSON.stringify(["./", ...files]),
      siteVersion: JSON.stringify(await versionOf(folder, [...files, "nano/model.safetensors"])),
    },
  });
}

const addresses = `
  export const workerUrl = new URL("./worker.js", import.meta.url);
  export const workletUrl = new URL("./player_worklet.js", import.meta.url);`;

/** The checkpoint lies beside the site, and its module says where. */
const nanoBeside: Plugin = {
  name: "nano beside",
  setup: (build) => {
    build.onResolve({ filter: /^bark-webgpu-nano$/ }, () => ({ path: "./nano/index.js", external: true }));
  },
};

/** Its package holds WebAssembly as `data:` addresses, which the policy forbids to fetch; that of Ogg is of no use here. */
const mp3Beside: Plugin = {
  name: "mp3 beside",
  setup: (build) => {
    build.onLoad({ filter: /[/\\]wasm-media-encoders[/\\].*index\.mjs$/ }, async ({ path: file }) => {
      let found = 0;
      const contents = (await readFile(file, "utf8")).replaceAll(/"data:application\/wasm;base64,[^"]*"/g, () =>
        found++ === 0 ? 'new URL("./mp3.wasm", import.meta.url).href' : '""',
      );
      if (found !== 2) throw new Error(`${file}: ${found} addresses of WebAssembly, where MP3 and Ogg are expected`);
      return { contents, loader: "js" };
    });
  },
};

async function copyNano(root: string, folder: string): Promise<void> {
  const nano = path.join(root, "models/nano");
  const left = /(README\.md|package\.json|index\.d\.ts)$/;
  await cp(nano, path.join(folder, "nano"), { recursive: true, filter: (file) => !left.test(file) });
}

async function versionOf(folder: string, files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const name of files) hash.update(name).update(await readFile(path.join(folder, name)));
  return hash.digest("hex").slice(0, 16);
}
