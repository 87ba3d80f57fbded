/**
 * A path from a checkpoint's own file, with the forward slashes of stores (an index made on Windows has others); undefined
 * if it is not relative or leads out of its folder.
 */
export function relativePath(path: string): string | undefined {
  const forward = path.replaceAll("\\", "/");
  if (/^(\/|[a-z]+:)/i.test(forward)) return undefined;
  let depth = 0;
  for (const part of forward.split("/")) {
    if (part === "..") depth--;
    else if (part !== "." && part !== "") depth++;
    if (depth < 0) return undefined;
  }
  return forward;
}
