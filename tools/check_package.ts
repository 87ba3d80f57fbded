/**
 * `npm run check:package`: packs both packages and uses them as people do, in empty projects: Node, Deno, TypeScript,
 * bundlers, development servers and plain pages. `npm run check:package -- PART` runs the checks whose name holds PART.
 */
import { rm } from "node:fs/promises";
import path from "node:path";
import { preparePackage, type Check, type Package } from "./package/checks.ts";
import { extensionCheck } from "./package/in_extension.ts";
import { nextChecks, nextProject } from "./package/in_next.ts";
import { nodeChecks, nodeProject, quickNodeChecks } from "./package/in_node.ts";
import {
  bundlerChecks,
  bundlerProject,
  esbuildChecks,
  staticChecks,
  viteChecks,
  viteProject,
} from "./package/in_pages.ts";
import { typescriptChecks, typescriptExample, typescriptProject } from "./package/in_typescript.ts";
import { mustRun, Project } from "./package/project.ts";
import { checkBudget } from "./package/size.ts";
import { launch } from "./test/chromium.ts";
import { countLine, printFailure } from "./test/report.ts";

const root = path.resolve(import.meta.dirname, "..");
const part = process.argv[2] ?? "";
const outcome = { passed: 0, failed: 0, skipped: 0 };

process.chdir(root);
const given = await preparePackage();
const browser = await launch();
try {
  await inProject(nodeProject(given), (project) => [
    ...quickNodeChecks(given, project),
    ...nodeChecks(given, project),
    ...staticChecks(given, project, browser),
    extensionCheck(project),
  ]);
  await inProject(typescriptProject(given), (project) => [...typescriptChecks(project), typescriptExample(project)]);
  await inProject(bundlerProject(given), (project) => [
    ...esbuildChecks(given, project, browser),
    ...bundlerChecks(given, project, browser),
  ]);
  for (const version of [7, 8])
    await inProject(viteProject(given, version), (project) => viteChecks(given, project, version, browser));
  await inProject(nextProject(given), (project) => nextChecks(project, browser));
  await inProject(Project.create(`${given.folder}/lint`, ["publint@0.3", "@arethetypeswrong/cli@0.18"]), (project) =>
    lintChecks(given, project),
  );
} finally {
  await browser.close();
  await rm(given.folder, { recursive: true, force: true });
}
console.log(countLine(outcome));
process.exitCode = outcome.failed === 0 && outcome.passed > 0 ? 0 : 1;

async function inProject(making: Promise<Project>, checksOf: (project: Project) => Check[]): Promise<void> {
  for (const { name, run } of checksOf(await making)) {
    if (!name.includes(part)) continue;
    try {
      const reason = await run();
      if (reason === undefined) outcome.passed++;
      else outcome.skipped++;
      console.log(reason === undefined ? `ok ${name}` : `skipped ${name}: ${reason}`);
    } catch (error) {
      outcome.failed++;
      printFailure("package", name, (error as Error).stack ?? String(error));
    }
  }
}

function lintChecks({ tarballs }: Package, project: Project): Check[] {
  return [
    {
      name: "publint",
      run: async () => {
        for (const tarball of tarballs) await project.npx("publint", "--strict", tarball);
      },
    },
    {
      name: "are the types wrong",
      run: async () => {
        for (const tarball of tarballs) await project.npx("attw", tarball, "--profile", "esm-only");
      },
    },
    { name: "a page downloads 100 KB at most", run: () => checkBudget(path.join(root, "dist")) },
    {
      name: "the package holds dist/ and nothing else of the checkout",
      run: async () => {
        const { stdout } = await mustRun("tar", ["tzf", tarballs[0]], root);
        const others = stdout
          .trim()
          .split("\n")
          .filter((file) => !file.startsWith("package/dist/"));
        const allowed = [
          "package/CHANGELOG.md",
          "package/LICENSE",
          "package/NOTICE",
          "package/README.md",
          "package/package.json",
        ];
        const wrong = others.filter((file) => !allowed.includes(file));
        if (wrong.length > 0) throw new Error(wrong.join(", "));
      },
    },
  ];
}
