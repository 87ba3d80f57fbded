import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { swiftShaderFolder } from "../../engine/node/software/software_adapter.ts";

const root = path.resolve(import.meta.dirname, "../..");

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams, for people. */
  readonly output: string;
}

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[], cwd: string, env = {}): Promise<Finished> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, output] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject));
  return { code, stdout, output };
}

/** As {@link run}; a program that fails is a failure. */
export async function mustRun(command: string, args: readonly string[], cwd: string, env = {}): Promise<Finished> {
  const finished = await run(command, args, cwd, env);
  if (finished.code === 0) return finished;
  throw new Error(`${command} ${args.join(" ")} ends with ${finished.code}:\n${finished.output}`);
}

/** A folder for all that a check makes, which is removed at its end. */
export async function temporaryFolder(): Promise<string> {
  return await mkdtemp(path.join(tmpdir(), "bark-package-"));
}

/** Builds and packs both packages, as `npm publish` would. @returns the tarballs. */
export async function pack(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const tarballs = [root, path.join(root, "models/nano")].map(async (source) => {
    const { stdout } = await mustRun("npm", ["pack", "--silent", "--pack-destination", folder], source);
    return path.join(folder, stdout.trim().split("\n").at(-1)!);
  });
  return await Promise.all(tarballs);
}

/** The software adapter, for programs outside of the checkout: the same everywhere, whatever the machine has. */
export async function softwareAdapter(): Promise<Record<string, string>> {
  const folder = await swiftShaderFolder();
  return { LD_LIBRARY_PATH: folder, VK_DRIVER_FILES: path.join(folder, "vk_swiftshader_icd.json") };
}

/** An empty project of somebody who installs the package. */
export class Project {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#env = env;
  }

  /** @param packages names with versions, or tarballs. */
  static async create(folder: string, packages: readonly string[]): Promise<Project> {
    await mkdir(folder, { recursive: true });
    const project = new Project(folder, await softwareAdapter());
    await project.write("package.json", JSON.stringify({ private: true, type: "module" }));
    await mustRun("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...packages], folder);
    return project;
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(path.dirname(this.path(name)), { recursive: true });
    await writeFile(this.path(name), text);
  }

  async read(name: string): Promise<Buffer> {
    return await readFile(this.path(name));
  }

  /** Copies files out of examples/. */
  async addExample(...names: string[]): Promise<void> {
    for (const name of names) {
      const base = path.basename(name);
      // Those of the project itself stay.
      if (base !== "package.json") await cp(path.join(root, "examples", name), this.path(base), { recursive: true });
    }
  }

  async node(...args: string[]): Promise<Finished> {
    return await mustRun(process.execPath, args, this.folder, this.#env);
  }

  /** A program that is to fail: its exit code and its words. */
  async failing(command: string, ...args: string[]): Promise<Finished> {
    const finished = await run(command, args, this.folder, this.#env);
    if (finished.code !== 0) return finished;
    throw new Error(`${command} ${args.join(" ")} does not fail:\n${finished.output}`);
  }

  /** A command that a package of the project installed. */
  async npx(name: string, ...args: string[]): Promise<Finished> {
    return await mustRun(this.path(`node_modules/.bin/${name}`), args, this.folder, this.#env);
  }

  /** Deno of the checkout, with the packages of this project. */
  async deno(...args: string[]): Promise<Finished> {
    const deno = path.join(root, "node_modules/deno/bin.cjs");
    return await mustRun(process.execPath, [deno, ...args], this.folder, { ...this.#env, DENO_NO_UPDATE_CHECK: "1" });
  }
}
