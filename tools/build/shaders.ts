import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Plugin } from "esbuild";

const shaderUrl = /new URL\(\s*"(\.{1,2}\/[^"]+\.wgsl)",\s*import\.meta\.url,?\s*\)/g;

/** Modules that pages load only where they are asked for: each brings its own shaders, which the pack of all then lacks. */
const apart = /[/\\]kernels[/\\]decode_blocks[/\\][^/\\]+\.ts$/;

/**
 * Shaders that a page loads only when its adapter asks for one of them: by the rules of kernels/choose.ts GPUs take some
 * versions and software adapters others, and plain speech needs none of the rest. One that is missing here costs bytes only.
 */
const later: Readonly<Record<string, RegExp>> = {
  gpu: /_(split|tiled)\.wgsl$|\/(attention_tile|attention_decode_chunks|layernorm_workgroup)\.wgsl$/,
  software:
    /\/strips\/|_(wide|shuffle|broadcast)\.wgsl$|\/(strips|attention_query|attention_decode_(four_keys|lanes)|matmul_(gemm|gemv_rows|gemv|plain))\.wgsl$/,
  rare: /\/(attention_weights|codebook_nearest|matrix_q8)\.wgsl$/,
};

/** Packs shaders by the addresses under which the bundled kernels name them: `shader:kernels/matmul/gemv.wgsl`. */
export class ShaderPack {
  readonly #root: string;
  readonly #files = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** TypeScript of a module whose shaders have addresses that no bundler follows, and no server is asked for. */
  repack(text: string, file: string): string {
    return text.replaceAll(shaderUrl, (_match, relative: string) => {
      const shader = path.relative(this.#root, path.join(path.dirname(file), relative)).replaceAll(path.sep, "/");
      this.#files.add(shader);
      return `new URL(${JSON.stringify(addressOf(shader))})`;
    });
  }

  /** Lines that put the shaders beside a module into the pack, when the module is loaded. */
  async #own(contents: string, file: string): Promise<string> {
    const folder = path.relative(this.#root, path.dirname(file)).replaceAll(path.sep, "/");
    const own = [...this.#files].filter((shader) => path.posix.dirname(shader) === folder);
    if (own.length === 0) return contents;
    const pack = path.join(this.#root, "engine/web/packed_shaders.ts");
    const lines = own.map(async (shader) => {
      this.#files.delete(shader);
      const text = stripped(await readFile(path.join(this.#root, shader), "utf8"));
      return `packedShaders[${JSON.stringify(addressOf(shader))}] = ${JSON.stringify(text)};`;
    });
    return [`import { packedShaders } from ${JSON.stringify(pack)};`, contents, ...(await Promise.all(lines))].join(
      "\n",
    );
  }

  /** Texts of all shaders that were named, by address. @param whole with comments, for people. */
  async texts({ whole = false } = {}): Promise<Record<string, string>> {
    const entries = [...this.#files].sort().map(async (file) => {
      const text = await readFile(path.join(this.#root, file), "utf8");
      return [addressOf(file), whole ? text : stripped(text)] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /** Repacks every module of the engine, its kernels and their bench. `texts` go to engine/web/packed_shaders.ts. */
  plugin(texts: Readonly<Record<string, string>>): Plugin {
    return {
      name: "packed shaders",
      setup: (build) => {
        build.onResolve({ filter: /^packed:/ }, ({ path: address }) => ({ path: address, namespace: "packed" }));
        build.onLoad({ filter: /./, namespace: "packed" }, ({ path: address }) => ({
          contents: `export const texts = ${JSON.stringify(partOf(texts, address.slice("packed:".length)), null, 1)};`,
          loader: "ts",
        }));
        build.onLoad({ filter: /[/\\](engine|kernels|bench)[/\\].*\.ts$/ }, async ({ path: file }) => {
          if (/[/\\]web[/\\]packed_shaders\.ts$/.test(file)) return { contents: packOf(texts), loader: "ts" };
          const contents = this.repack(await readFile(file, "utf8"), file);
          if (contents.includes("import.meta.url"))
            throw new Error(`${file}: name each shader by new URL("./x.wgsl", import.meta.url), literally`);
          return { contents: apart.test(file) ? await this.#own(contents, file) : contents, loader: "ts" };
        });
      },
    };
  }
}

/** The module engine/web/packed_shaders.ts, filled. */
export function packOf(texts: Readonly<Record<string, string>>): string {
  const names = Object.keys(later).filter((name) => Object.keys(partOf(texts, name)).length > 0);
  const loads = names.map((name) => `[${String(later[name])}, () => import("packed:${name}")]`);
  return `
    export const packedShaders: Record<string, string> = ${JSON.stringify(partOf(texts, undefined), null, 1)};
    export const shadersLater = [${loads.join()}];`;
}

/** @param wanted name of a part that is loaded later; undefined: what is there at once. */
export function partOf(texts: Readonly<Record<string, string>>, wanted: string | undefined): Record<string, string> {
  const partName = (address: string) => Object.keys(later).find((name) => later[name].test(address));
  return Object.fromEntries(Object.entries(texts).filter(([address]) => partName(address) === wanted));
}

function addressOf(file: string): string {
  return `shader:${file}`;
}

/** WGSL without comments, indentation, empty lines and the spaces that separate nothing. */
export function stripped(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/\/\/.*$/, "").trim());
  // Not around all operators: `a - -b` would become a decrement, `array<f32> = x` a comparison, and `a / *b` a comment.
  return lines
    .filter((line) => line !== "")
    .map((line) => line.replaceAll(/(?<=[\w)\]]) ([+*]?=|[+*]) (?=[\w(])/g, "$1"))
    .map((line) => line.replaceAll(/ ?([{}()[\];,:]) ?/g, "$1"))
    .join("\n");
}
