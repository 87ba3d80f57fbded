import { closeSync, openSync } from "node:fs";

interface Descriptors {
  dup: (descriptor: number) => number;
  dup2: (from: number, to: number) => number;
}

let loaded: Promise<Descriptors | undefined> | undefined;

/**
 * Opens an adapter and drops the lines that Dawn prints to stderr meanwhile ("maxDynamic… artificially reduced"): no
 * option of Dawn turns them off. They still show where koffi cannot be loaded or BARK_DEBUG is set.
 * @param open has to print before it returns: stderr leads nowhere only until then.
 */
export async function withoutDriverChatter<T>(open: () => Promise<T>): Promise<T> {
  // Windows opens adapters of D3D12, which print nothing.
  if (process.env["BARK_DEBUG"] || process.platform === "win32") return await open();
  const descriptors = await (loaded ??= loadDescriptors());
  return await (descriptors === undefined ? open() : hideStderr(descriptors, open));
}

/** dup2 replaces a descriptor in one step; closing and opening it would race with other threads. */
function hideStderr<T>({ dup, dup2 }: Descriptors, call: () => T): T {
  const stderr = dup(2);
  if (stderr < 0) return call(); // It is closed.
  try {
    const nowhere = openSync("/dev/null", "w");
    dup2(nowhere, 2);
    closeSync(nowhere);
    return call();
  } finally {
    dup2(stderr, 2);
    closeSync(stderr);
  }
}

async function loadDescriptors(): Promise<Descriptors | undefined> {
  try {
    const { default: koffi } = await import("koffi");
    const libc = koffi.load(null);
    return {
      dup: libc.func("int dup(int)") as Descriptors["dup"],
      dup2: libc.func("int dup2(int, int)") as Descriptors["dup2"],
    };
  } catch {
    return undefined; // An optional package, and there are systems that it does not know.
  }
}
