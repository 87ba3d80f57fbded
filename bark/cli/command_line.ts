import { parseArgs, type ParseArgsConfig } from "node:util";
import { EngineError } from "../../engine/errors.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** The flags and positional arguments of a subcommand. @throws EngineError `usage` for a flag that it does not have. */
export function parseCommandLine<const O extends Options>(command: string, args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const message = (error as Error).message.split(/\.? ?\n|\. |\.$/)[0];
    throw new EngineError("usage", message, { where: command, fix: `\`bark ${command} --help\` lists the flags` });
  }
}

/** A flag's number. @throws EngineError `usage` naming the flag. */
export function numberFlag(
  flag: string,
  text: string | undefined,
  isGood: (value: number) => boolean,
  expected: string,
): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isFinite(value) && isGood(value)) return value;
  throw new EngineError("usage", "wrong value", { where: `--${flag}`, expected, actual: text });
}

/** A flag's value out of a fixed set. @throws EngineError `usage` naming the flag. */
export function choiceFlag<const T extends string>(
  flag: string,
  text: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new EngineError("usage", "wrong value", { where: `--${flag}`, expected: choices.join(" or "), actual: text });
}

/** For subcommands that take no positional argument, or only so many. @throws EngineError `usage`. */
export function requirePositionals(command: string, positionals: readonly string[], least: number, most: number): void {
  if (positionals.length >= least && positionals.length <= most) return;
  const expected = least === most ? `${least}` : `${least} to ${most}`;
  throw new EngineError("usage", "wrong number of arguments", {
    where: command,
    expected,
    actual: `${positionals.length}`,
    fix: `\`bark ${command} --help\` shows how to call it`,
  });
}
