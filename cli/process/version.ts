import { readFile } from "node:fs/promises";

/** Of the package. */
export async function version(): Promise<string> {
  // By its name: the command is in cli/ of a checkout, and in dist/cli/ of the package.
  const text = await readFile(new URL(import.meta.resolve("bark-webgpu/package.json")), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
