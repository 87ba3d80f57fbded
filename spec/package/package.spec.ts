/** The package as people get it, as far as two minutes allow; `npm run check:package` checks all of it. */
import { rm } from "node:fs/promises";
import { build } from "esbuild";
import { preparePackage, type Check, type Package } from "../../tools/package/checks.ts";
import { nodeProject, quickNodeChecks } from "../../tools/package/in_node.ts";
import { quickTypescriptChecks } from "../../tools/package/in_typescript.ts";
import { checkBudget } from "../../tools/package/size.ts";
import type { Project } from "../../tools/package/project.ts";
import { describeInChromium } from "../support/web/chromium.ts";

const limitMs = 10 * 60_000;

describeInChromium("the package, installed", function () {
  this.timeout(limitMs);
  let given: Package;
  let project: Project;
  before(async () => {
    given = await preparePackage();
    project = await nodeProject(given);
  });
  after(() => rm(given.folder, { recursive: true, force: true }));

  const run = async (checks: readonly Check[]): Promise<void> => {
    for (const check of checks)
      await check.run().catch((cause: unknown) => {
        throw new Error(`${check.name}: ${String(cause)}`, { cause });
      });
  };

  it("speaks in plain Node, by the command too, and names what is missing", async () => {
    await run(quickNodeChecks(given, project));
  });

  it("has types for TypeScript", async () => {
    await run(quickTypescriptChecks(project));
  });

  it("is bundled for a page by esbuild, and small", async () => {
    await build({
      absWorkingDir: project.folder,
      entryPoints: ["speak.mjs"],
      bundle: true,
      splitting: true,
      format: "esm",
      outdir: "bundled",
      logLevel: "error",
    });
    if (/new URL\("\.[^"]*\.wgsl/.test((await project.read("bundled/speak.js")).toString()))
      throw new Error("a shader is fetched, which esbuild does not copy");
    await checkBudget(project.path("node_modules/bark-webgpu/dist"));
  });
});
