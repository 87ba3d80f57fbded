/** Takes what a server did: fields and a line, never a text that is spoken, a key or an address of a voice. */
export interface ServerLog {
  info(fields: object, line: string): void;
  warn(fields: object, line: string): void;
  error(fields: object, line: string): void;
}

export const noLog: ServerLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Lines of JSON on stderr, by pino. @param level of the least that is written. */
export async function jsonLog(level: "info" | "warn"): Promise<ServerLog> {
  const { pino } = await import("pino");
  const stderr = 2;
  const log = pino({ level, base: { name: "bark" } }, pino.destination({ dest: stderr, sync: true }));
  return {
    info: (fields, line) => log.info(fields, line),
    warn: (fields, line) => log.warn(fields, line),
    error: (fields, line) => log.error(fields, line),
  };
}
