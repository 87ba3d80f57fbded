import { lstat, readlink, realpath } from "node:fs/promises";
import path from "node:path";

/** The end of a path's links: a descriptor of this process, or a path that is not a symbolic link (and may not exist). */
export type Followed =
  | { readonly descriptor: number; readonly path?: undefined }
  | { readonly descriptor?: undefined; readonly path: string };

const standardStreams: readonly string[] = ["/dev/stdin", "/dev/stdout", "/dev/stderr"];
const descriptorPath = new RegExp(`^(?:/dev|/proc/${process.pid}(?:/task/\\d+)?)/fd/(\\d+)$`);
/** As many as Linux follows. */
const maxLinks = 40;

/**
 * Follows symbolic links one by one, also to a target that does not exist yet. It stops before the links of /proc: the
 * target of a redirected descriptor (`/dev/stdout`) has its own position and rights, which opening it by name would lose.
 * @throws the system's error if a folder on the way is missing or may not be searched.
 */
export async function follow(name: string): Promise<Followed> {
  for (let links = 0; links < maxLinks; links++) {
    // By name first: there are systems without /proc, and Windows has none of these.
    const stream = standardStreams.indexOf(name);
    if (stream >= 0) return { descriptor: stream };
    const folder = await realpath(path.dirname(name));
    const here = path.join(folder, path.basename(name));
    const descriptor = descriptorPath.exec(here)?.[1];
    if (descriptor !== undefined) return { descriptor: Number(descriptor) };
    if (here.startsWith("/proc/") || !(await isLink(here))) return { path: here };
    const next = await readlink(here);
    // Not path.join: "a/../b" lies beside the target of the link `a`, not beside `a`.
    name = path.isAbsolute(next) ? next : `${folder}${path.sep}${next}`;
  }
  throw Object.assign(new Error("too many symbolic links"), { code: "ELOOP" });
}

async function isLink(file: string): Promise<boolean> {
  try {
    return (await lstat(file)).isSymbolicLink();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
