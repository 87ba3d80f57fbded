/** `npm run build`: dist/, as the package `bark-webgpu` holds it. */
import { chmod, cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { runNode } from "../test/child.ts";
import { withOwnTypes, webgpuTypes } from "./declarations.ts";
import { bundleForPages } from "./bundle.ts";

const root = path.resolve(import.meta.dirname, "../..");
const dist = path.join(root, "dist");

/** What the command imports only where it finds the checkout: it runs specs and benches in Chromium. */
const inCheckout = ["spec", "tools/test", "tools/unpack_chromium.js", "bench/kernels/in_chromium.js"];

process.chdir(root);
await rm(dist, { recursive: true, force: true });
await compile();
for (const part of inCheckout) await rm(path.join(dist, part), { recursive: true });
await keepDeclarations(path.join(dist, "web"));
await copyShaders();
await finishDeclarations();
await bundleForPages(root, path.join(dist, "web"));
await chmod(path.join(dist, "cli/main.js"), 0o755);

/** One module a file, with its declaration: what Node, Deno and TypeScript read. */
async function compile(): Promise<void> {
  const { code, output } = await runNode(["node_modules/typescript/bin/tsc", "-p", "tools/build/tsconfig.json"]);
  if (code !== 0) throw new Error(`tsc:\n${output}`);
}

/** Of what runs in pages alone there are bundles: its modules are left out. */
async function keepDeclarations(folder: string): Promise<void> {
  for (const file of await readdir(folder, { recursive: true }))
    if (/\.js(\.map)?$/.test(file)) await rm(path.join(folder, file));
}

/** Node and Deno read the shaders that lie beside the modules. */
async function copyShaders(): Promise<void> {
  for (const folder of ["engine", "kernels", "bench"]) {
    const files = await readdir(folder, { recursive: true });
    for (const file of files.filter((file) => file.endsWith(".wgsl")))
      await cp(path.join(folder, file), path.join(dist, folder, file));
  }
}

async function finishDeclarations(): Promise<void> {
  const files = await readdir(dist, { recursive: true });
  for (const file of files.filter((file) => file.endsWith(".d.ts"))) {
    const text = await readFile(path.join(dist, file), "utf8");
    await writeFile(path.join(dist, file), withOwnTypes(text, file));
  }
  await writeFile(path.join(dist, "webgpu_types.d.ts"), webgpuTypes);
}
