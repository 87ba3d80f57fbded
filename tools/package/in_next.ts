import path from "node:path";
import type { Browser } from "playwright-core";
import type { Check, Package } from "./checks.ts";
import { checkHeard, servedBy } from "./pages.ts";
import { Project } from "./project.ts";

export async function nextProject({ folder, tarballs }: Package): Promise<Project> {
  // It would tell its makers of the build.
  process.env["NEXT_TELEMETRY_DISABLED"] = "1";
  const project = await Project.create(path.join(folder, "next"), [...tarballs, "next@16", "react@19", "react-dom@19"]);
  await project.addExample("next/app");
  return project;
}

export function nextChecks(project: Project, browser: Browser): Check[] {
  const next = "node_modules/next/dist/bin/next";
  const serve = (mode: string) => () =>
    servedBy([next, mode, "-H", "127.0.0.1", "-p", "0"], project.folder, (address) => checkHeard(browser, address));
  return [
    {
      name: "examples/next, built",
      run: async () => {
        await project.node(next, "build");
        await serve("start")();
      },
    },
    { name: "examples/next, by its development server", run: serve("dev") },
  ];
}
