import type { BuildOptions, Plugin } from "esbuild";

/** Options of all bundles for pages. */
export function sharedOptions(outdir: string) {
  return {
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: true,
    external: ["bark-webgpu-nano"],
    // "sideEffects" of package.json is about the files of dist/: of the sources it would drop the imports that set hosts.
    ignoreAnnotations: true,
    outdir,
    logLevel: "warning",
  } as const satisfies BuildOptions;
}

/** Another text in place of a module of ours. @param resolveDir of its imports. */
export function replacing(name: string, filter: RegExp, contents: string, resolveDir?: string): Plugin {
  return {
    name,
    setup: (build) => {
      build.onLoad({ filter }, () => ({ contents, loader: "ts", ...(resolveDir && { resolveDir }) }));
    },
  };
}

/** A worker sends samples, which its page encodes; with the encoders it would be ten times as large. */
export function withoutEncoders(filter: RegExp): Plugin {
  return {
    name: "without encoders",
    setup: (build) => {
      build.onLoad({ filter }, () => ({
        contents: `
        import { EngineError } from "../../engine/errors.ts";
        export function encode_audio() { return registerOpusEncoder(); }
        export function registerOpusEncoder() {
          throw new EngineError("usage", "this browser has no encoder of it", { where: "opus", fix: "take mp3" });
        }`,
        loader: "ts",
        resolveDir: "audio/encode",
      }));
    },
  };
}
