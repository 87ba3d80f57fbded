import { cp } from "node:fs/promises";
import type { Browser } from "playwright-core";
import type { Check, Package } from "./checks.ts";
import { includes, isDoubled } from "./in_node.ts";
import { checkHeard, printedBy, servedBy, serving, soundOf } from "./pages.ts";
import { Project } from "./project.ts";
import { checkWav, sameSpeech, samplesIn, speakText } from "./speech.ts";

const elementPage = `<!doctype html><meta charset="utf-8" /><script type="module" src="./element.mjs"></script>
  <bark-speech voice="en_speaker_1" seed="7">Hello, my dog is cute.</bark-speech>`;

const page = '<!doctype html><meta charset="utf-8" /><script type="module" src="./speak.mjs"></script>';

async function pageProject(given: Package, name: string, packages: readonly string[]): Promise<Project> {
  const project = await Project.create(`${given.folder}/${name}`, [...given.tarballs, ...packages]);
  await project.write("speak.mjs", speakText("bark-webgpu"));
  await project.write("speak.html", page);
  await project.write("element.mjs", 'import "bark-webgpu/element";');
  await project.write("element.html", elementPage);
  return project;
}

export async function bundlerProject(given: Package): Promise<Project> {
  const packages = ["esbuild@0.28", "rollup@4", "@rollup/plugin-node-resolve@16", "webpack@5", "webpack-cli@6"];
  return await pageProject(given, "bundlers", packages);
}

/** esbuild and rollup do not follow `new URL(…, import.meta.url)`: whoever bundles nano by them copies its files. */
async function copyNano(project: Project, folder: string): Promise<void> {
  await cp(project.path("node_modules/bark-webgpu-nano"), project.path(folder), { recursive: true });
}

export function esbuildChecks({ expected }: Package, project: Project, browser: Browser): Check[] {
  const bundle = ["--bundle", "--splitting", "--format=esm", "--outdir=by_esbuild", "--out-extension:.js=.mjs"];
  return [
    {
      name: "a page bundled by esbuild tells which files of nano are missing, and speaks with them",
      run: async () => {
        await project.npx("esbuild", "speak.mjs", "element.mjs", ...bundle);
        await project.write("by_esbuild/index.html", page);
        await serving(project.path("by_esbuild"), async (address) => {
          const error = await printedBy(browser, address).catch(String);
          includes(error, "the files of nano are missing; put the files of its package there");
          await copyNano(project, "by_esbuild");
          sameSpeech(samplesIn(await printedBy(browser, address)), expected);
          await project.write("by_esbuild/element.html", elementPage);
          await checkHeard(browser, `${address}/element.html`);
        });
      },
    },
    {
      name: "esbuild refuses a subpath that is not exported",
      run: async () => {
        await project.write("wrong.mjs", 'import "bark-webgpu/engine/gpu.js";');
        const { output } = await project.failing("node_modules/.bin/esbuild", "wrong.mjs", "--bundle");
        includes(output, 'Could not resolve "bark-webgpu/engine/gpu.js"');
      },
    },
  ];
}

export function bundlerChecks({ expected }: Package, project: Project, browser: Browser): Check[] {
  return [
    {
      name: "a page bundled by rollup speaks",
      run: async () => {
        const config = `import resolve from "@rollup/plugin-node-resolve";
          export default { input: "speak.mjs", output: { dir: "by_rollup", entryFileNames: "speak.mjs" },
            plugins: [resolve({ browser: true })] };`;
        await project.write("rollup.config.mjs", config);
        await project.npx("rollup", "-c");
        await project.write("by_rollup/index.html", page);
        await copyNano(project, "by_rollup");
        await serving(project.path("by_rollup"), async (address) =>
          sameSpeech(samplesIn(await printedBy(browser, address)), expected),
        );
      },
    },
    {
      name: "examples/webpack, and the element",
      run: async () => {
        await project.addExample("webpack/index.html", "webpack/main.js", "webpack/webpack.config.mjs");
        const { output } = await project.npx("webpack");
        if (/Critical dependency|Module not found/.test(output)) throw new Error(output);
        await project.npx("webpack", "--entry-reset", "--entry", "./element.mjs", "--output-path", "by_webpack");
        await project.write("by_webpack/index.html", elementPage.replace("element.mjs", "main.js"));
        await serving(project.folder, async (address) => {
          checkWav(await soundOf(browser, address));
          await checkHeard(browser, `${address}/by_webpack/index.html`);
        });
      },
    },
  ];
}

export async function viteProject(given: Package, version: number): Promise<Project> {
  const project = await pageProject(given, `vite${version}`, [`vite@${version}`]);
  await project.addExample("vite/index.html", "vite/main.js");
  return project;
}

export function viteChecks({ expected }: Package, project: Project, version: number, browser: Browser): Check[] {
  const vite = "node_modules/vite/bin/vite.js";
  return [
    {
      name: `Vite ${version}: a page of the development server speaks, the element and examples/vite`,
      run: () =>
        servedBy([vite, "--host", "127.0.0.1"], project.folder, async (address) => {
          sameSpeech(samplesIn(await printedBy(browser, `${address}/speak.html`)), expected);
          checkWav(await soundOf(browser, address));
          await checkHeard(browser, `${address}/element.html`);
        }),
    },
    {
      name: `Vite ${version}: a page that was built speaks, the element and examples/vite`,
      run: async () => {
        const input = JSON.stringify({
          build: { rollupOptions: { input: ["index.html", "speak.html", "element.html"] } },
        });
        await project.write("vite.config.js", `export default ${input};`);
        await project.node(vite, "build");
        await serving(project.path("dist"), async (address) => {
          sameSpeech(samplesIn(await printedBy(browser, `${address}/speak.html`)), expected);
          checkWav(await soundOf(browser, address));
          await checkHeard(browser, `${address}/element.html`);
        });
      },
    },
  ];
}

/** @param project any: a static server serves its node_modules. */
export function staticChecks({ expected }: Package, project: Project, browser: Browser): Check[] {
  return [
    {
      name: "a page without a bundler speaks",
      run: async () => {
        await project.write("plain.mjs", speakText("./node_modules/bark-webgpu/dist/web/index.js"));
        await project.write("plain.html", page.replace("speak.mjs", "plain.mjs"));
        await serving(project.folder, async (address) =>
          sameSpeech(samplesIn(await printedBy(browser, `${address}/plain.html`)), expected),
        );
      },
    },
    {
      name: "examples/script-tag.html",
      run: async () => {
        await project.addExample("script-tag.html");
        await serving(project.folder, (address) => checkHeard(browser, `${address}/script-tag.html`));
      },
    },
    {
      name: "examples/kernel in a page",
      run: async () => {
        await project.addExample("kernel/index.html", "kernel/double.mjs", "kernel/double.wgsl");
        await serving(project.folder, async (address) => isDoubled(await printedBy(browser, `${address}/index.html`)));
      },
    },
  ];
}
