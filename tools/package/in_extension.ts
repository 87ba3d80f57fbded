import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";
import type { Check } from "./checks.ts";
import { checkSound, heardIn } from "./pages.ts";
import { mustRun, type Project } from "./project.ts";

const example = path.resolve(import.meta.dirname, "../../examples/extension");

/**
 * The extension in a whole browser, which `BARK_CHROMIUM` names: Chromium from npm is a headless shell and has no
 * extensions. In that, `npm test` visits the page of the extension, under its policy.
 * @param project with the package.
 */
export function extensionCheck(project: Project): Check {
  return {
    name: "examples/extension",
    run: async () => {
      const executablePath = process.env["BARK_CHROMIUM"];
      if (executablePath === undefined) return "name a Chromium that has extensions by BARK_CHROMIUM=/usr/bin/chromium";
      await project.addExample("extension/manifest.json", "extension/page.html", "extension/page.css");
      const { scripts } = JSON.parse(await readFile(path.join(example, "package.json"), "utf8")) as {
        scripts: { build: string };
      };
      await mustRun("sh", ["-c", scripts.build], project.folder);
      await speakIn(project.path("extension"), project.path("profile"), executablePath);
      return undefined;
    },
  };
}

async function speakIn(extension: string, profile: string, executablePath: string): Promise<void> {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    // Playwright's own headless mode is the shell.
    headless: false,
    args: [
      "--headless=new",
      "--no-sandbox",
      `--disable-extensions-except=${extension}`,
      `--load-extension=${extension}`,
      "--enable-unsafe-webgpu",
      "--enable-features=Vulkan,WebGPU",
      "--use-webgpu-adapter=swiftshader",
    ],
  });
  try {
    const page = await context.newPage();
    await page.goto(`chrome-extension://${idOf(extension)}/page.html`);
    checkSound(await heardIn(page));
  } finally {
    await context.close();
  }
}

/** Chromium names an extension that is loaded from a folder by that: 32 letters from a to p. */
function idOf(folder: string): string {
  const digest = createHash("sha256").update(folder).digest("hex").slice(0, 32);
  return Array.from(digest, (digit) => String.fromCharCode(97 + parseInt(digit, 16))).join("");
}
