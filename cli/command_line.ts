import { parseArgs, type ParseArgsConfig } from "node:util";
import { EngineError } from "../engine/errors.ts";
import { didYouMean } from "../engine/check/nearest_name.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true; strict: true; args: string[] }>
>;
type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];
type Flag = Extract<Token, { kind: "option" }>;

/** The flags and positional arguments of a subcommand. @throws EngineError `usage` for a wrong flag. */
export function parseCommandLine<const O extends Options>(
  command: string,
  args: readonly string[],
  options: O,
): Parsed<O> {
  // Not strict: Node's message for a wrong flag has two lines and no hint.
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const problem = problemOf(token, args[token.index], options);
    if (problem !== undefined)
      throw new EngineError("usage", problem[0], {
        where: `${command} ${shortened(args[token.index])}`,
        fix: problem[1] ?? `\`bark ${command} --help\` lists the flags`,
      });
    if (seen.has(token.name) && options[token.name].type === "string")
      throw new EngineError("usage", "is given twice", { where: `--${token.name}`, fix: "leave out one of them" });
    seen.add(token.name);
  }
  return { values, positionals };
}

/** What is wrong with a flag, and what to do unless it is to read the list of flags. */
function problemOf(
  { name, value, inlineValue }: Flag,
  arg: string,
  options: Options,
): [problem: string, fix?: string | undefined] | undefined {
  const isShort = /^-[^-]/.test(arg);
  const longName = arg.replace(/^-+/, "").split("=")[0];
  // "-output x" would be -o with the value "utput".
  if (isShort && longName.length > 1 && Object.hasOwn(options, longName))
    return ["no such flag", `did you mean "--${longName}"?`];
  if (!Object.hasOwn(options, name)) {
    const known = Object.keys(options).map((flag) => `--${flag}`);
    const isText = /\s|^-+\d|^-[^-]./.test(arg);
    const hint = isText ? "put -- before a text that begins with a dash" : undefined;
    return ["no such flag", didYouMean(`--${longName}`, known) ?? hint];
  }
  if (options[name].type === "boolean") return value === undefined ? undefined : ["takes no value"];
  if (isShort && inlineValue === true && value.startsWith("="))
    return ["a short flag takes its value without =", `--${name}${value}`];
  // A negative number is for the flag to judge.
  const isNextFlag = inlineValue === false && /^-(?!$|\.?\d)/.test(value);
  if (value === undefined || value === "" || isNextFlag)
    return ["has no value", isNextFlag ? `--${name}=${value} if that is it` : undefined];
  return undefined;
}

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}

/** Flags end at `--`; what follows is text. */
export function beforeDashes(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
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

/** A flag's list `NAME=VALUE,NAME=VALUE`. @throws EngineError `usage` naming the flag. */
export function pairsFlag(flag: string, text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  const pairs = text.split(",").map((pair) => /^\s*([^=]*[^=\s])\s*=\s*(.*\S)\s*$/.exec(pair));
  const names = pairs.map((pair) => pair?.[1]);
  if (names.every((name) => name !== undefined) && new Set(names).size === names.length)
    return Object.fromEntries(pairs.map((pair) => [pair![1], pair![2]]));
  throw new EngineError("usage", "wrong value", {
    where: `--${flag}`,
    expected: "NAME=VALUE,NAME=VALUE",
    actual: text,
  });
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
