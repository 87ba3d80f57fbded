import { EngineError } from "../../engine/errors.ts";

/** Why a server cannot listen. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): EngineError {
  const where = `${host}:${port}`;
  if (error.code === "EADDRINUSE")
    return new EngineError("io", "the port is in use", {
      where,
      fix: "give another --port, or 0 for any that is free",
    });
  if (error.code === "EACCES")
    return new EngineError("io", "the port needs rights that this process does not have", {
      where,
      fix: "give a --port above 1023",
    });
  return new EngineError("io", `cannot listen: ${error.message}`, { where, fix: "give another --host" });
}
