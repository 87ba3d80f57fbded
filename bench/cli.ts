import { EngineError } from "../engine/errors.ts";
import { usage } from "./usage.ts";

type Bench = (args: readonly string[], signal?: AbortSignal) => Promise<number>;

// Loaded when called: each brings its own part of the project.
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  kernels: async () => (await import("./kernels/command.ts")).benchKernels,
  generate: async () => (await import("./generate/command.ts")).benchGenerate,
  encode: async () => (await import("./encode/command.ts")).benchEncode,
  explain: async () => (await import("./explain/command.ts")).benchExplain,
  results: async () => (await import("./report/command.ts")).benchResults,
};

/** `bark bench`: runs the bench that the arguments name and gives the exit code. @throws EngineError. */
export async function bench(args: readonly string[], interrupt?: { readonly signal: AbortSignal }): Promise<number> {
  const [name, ...rest] = args;
  if (args.some((arg) => arg === "--help" || arg === "-h")) {
    process.stdout.write(usage);
    return 0;
  }
  const fix = `one of ${Object.keys(benches).join(", ")}; or --help`;
  if (name === undefined) throw new EngineError("usage", "no bench given", { fix });
  if (!Object.hasOwn(benches, name)) throw new EngineError("usage", "no such bench", { where: name, fix });
  try {
    const run = await benches[name]();
    return await run(rest, interrupt?.signal);
  } catch (error) {
    throw isMissingModule(error) ? inCheckout(name, error) : error;
  }
}

function isMissingModule(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
}

/** The package leaves out what needs the checkout's tools, such as its Chromium. */
function inCheckout(name: string, cause: unknown): EngineError {
  const fix = "clone the repository, run npm ci there, and repeat it as: npm run -s bark -- bench …";
  return new EngineError("usage", "this bench needs the repository", { where: `bench ${name}`, fix, cause });
}
