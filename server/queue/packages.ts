import { EngineError } from "../../engine/errors.ts";

/** The farm's packages: who speaks on one machine does not install them. */
const packages = "bullmq ioredis aws4fetch";

/** Loads an optional package. @throws EngineError `usage` naming what to install. */
export async function fromPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new EngineError("usage", "the farm needs a package that is not installed", {
      where: name,
      fix: `run: npm install ${packages}`,
      cause,
    });
  }
}
