import { EngineError } from "../errors.ts";
import type { ForcedVersions } from "../device/host.ts";

/**
 * The value of `BARK_KERNELS`: `op=version` with commas between, such as `gemv=gemv_split,attention_decode=chunks`.
 * @throws EngineError `usage`.
 */
export function parseVersions(text: string | undefined): ForcedVersions | undefined {
  if (text === undefined || text === "") return undefined;
  const pairs = text.split(",").map((pair) => pair.split("="));
  if (pairs.every((pair) => pair.length === 2)) return Object.fromEntries(pairs) as Record<string, string>;
  throw new EngineError("usage", "cannot be read", {
    where: "BARK_KERNELS",
    expected: "op=version with commas between, such as gemv=gemv_split,attention_decode=chunks",
    actual: text,
  });
}
