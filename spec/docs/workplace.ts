import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import ts from "typescript";
import { swiftShaderFolder } from "../../engine/node/software/software_adapter.ts";
import { firstCommit, repositoryOf, serveHub, type LoopbackHub } from "../support/hub/hub_server.ts";
import type { Block } from "./blocks.ts";

/** Few enough that every command ends soon; what they are about does not depend on the length of the speech. */
const mostTokens = 5;
/** What the documents name of a checkout. */
const folders = ["models", "spec", "tools", "bench", "docs", "cli", "checkpoint", "convert"];

export interface Finished {
  readonly code: number | null;
  /** Both streams. */
  readonly output: string;
}

/**
 * Where documented commands and snippets run: a hub that serves the embedded checkpoint by the names that the documents
 * use, and a PATH on which `npm` and `npx` mean the checkout. Every document gets a folder of its own.
 */
export class Workplace {
  readonly root: string;
  readonly #base: string;
  readonly #hub: LoopbackHub;
  readonly #env: Record<string, string>;

  static async open(root: string): Promise<Workplace> {
    await mkdir(path.join(root, ".cache"), { recursive: true });
    // Within the checkout, so that a snippet's `import "bark-webgpu"` finds it.
    const base = await mkdtemp(path.join(root, ".cache/docs-"));
    const nano = await repositoryOf(path.join(root, "models/nano"));
    const files = nano.commits[firstCommit];
    const small = { ...nano, commits: { [firstCommit]: { ...files, ...withSunosVoice(files) } } };
    const hub = await serveHub({ "suno/bark-small": small, "facebook/encodec_24khz": nano });
    await writeShims(path.join(base, "bin"));
    hub.uploads.writers["hf_documents"] = "reader";
    const swiftShader = await swiftShaderFolder();
    return new Workplace(root, base, hub, {
      PATH: `${path.join(base, "bin")}:${process.env["PATH"] ?? ""}`,
      HF_ENDPOINT: hub.url,
      HF_TOKEN: "hf_documents",
      HF_HOME: path.join(base, "home"),
      DOCS_ROOT: root,
      DOCS_NODE: process.execPath,
      DOCS_TSX: import.meta.resolve("tsx"),
      DOCS_TOKENS: String(mostTokens),
      DOCS_SWIFTSHADER: swiftShader,
      TSX_TSCONFIG_PATH: path.join(root, "tsconfig.json"),
    });
  }

  private constructor(root: string, base: string, hub: LoopbackHub, env: Record<string, string>) {
    this.root = root;
    this.#base = base;
    this.#hub = hub;
    this.#env = env;
  }

  /** A folder with links to what a document names of the checkout. */
  async folder(): Promise<string> {
    const folder = await mkdtemp(path.join(this.#base, "run-"));
    for (const name of folders) await symlink(path.join(this.root, name), path.join(folder, name));
    return folder;
  }

  /** Runs a block of `sh` or `ts` in a folder. */
  async run(block: Block, folder: string): Promise<Finished> {
    if (block.language === "sh") return await this.#start("bash", ["-euo", "pipefail", "-c", block.text], folder);
    const file = path.join(folder, `line_${block.line}.ts`);
    await writeFile(file, shortened(block.text));
    return await this.#start(process.execPath, ["--import", import.meta.resolve("tsx"), file], folder);
  }

  /**
   * What TypeScript says against blocks of `ts`, a line each. It would take the links of a folder for other files, so `./`
   * is the checkout here.
   */
  async typeErrors(blocks: readonly Block[]): Promise<string[]> {
    const folder = await mkdtemp(path.join(this.#base, "types-"));
    const files: string[] = [];
    for (const { file, line, text } of blocks) {
      files.push(path.join(folder, `${file.replaceAll(/\W/g, "_")}_${line}.ts`));
      await writeFile(files.at(-1)!, text.replaceAll(/(from|import) "\.\//g, `$1 "${this.root}/`));
    }
    const { config } = ts.readConfigFile(path.join(this.root, "tsconfig.json"), (file) => ts.sys.readFile(file)) as {
      config: object;
    };
    const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, this.root);
    const program = ts.createProgram(files, {
      ...options,
      rewriteRelativeImportExtensions: false,
      allowImportingTsExtensions: true,
    });
    // Of these files alone: the library's own are part of the type check of all.
    const found = files.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
    return found.map((error) => `${error.file?.fileName}: ${ts.flattenDiagnosticMessageText(error.messageText, "; ")}`);
  }

  async #start(command: string, args: readonly string[], cwd: string): Promise<Finished> {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...this.#env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    return { code, output };
  }

  async close(): Promise<void> {
    await this.#hub.close();
    await rm(this.#base, { recursive: true });
  }
}

/** The index of voices with `v2/en_speaker_6`, which the documents name, beside the checkpoint's own. */
function withSunosVoice(files: Record<string, Uint8Array>): Record<string, Uint8Array> {
  const name = "speaker_embeddings_path.json";
  const index = JSON.parse(new TextDecoder().decode(files[name])) as Record<string, unknown>;
  index["v2/en_speaker_6"] = index["en_speaker_1"];
  return { [name]: new TextEncoder().encode(JSON.stringify(index)) };
}

/** A snippet that speaks a few tokens alone. */
function shortened(text: string): string {
  const limit = `semantic_max_new_tokens: ${mostTokens}`;
  const limited = text.replaceAll(/semantic_max_new_tokens: \d+/g, limit);
  return limited === text ? text.replaceAll("seed: 7", `seed: 7, ${limit}`) : limited;
}

async function writeShims(bin: string): Promise<void> {
  await mkdir(bin);
  for (const name of ["npm", "npx"]) {
    await writeFile(path.join(bin, name), await readFile(path.join(import.meta.dirname, `${name}.sh`)));
    await chmod(path.join(bin, name), 0o755);
  }
}
