import { EngineError } from "../errors.ts";
import { didYouMean } from "./nearest_name.ts";

/** What the value of an argument means; undefined: as if it were not given. @throws EngineError `usage` naming it. */
export type Reader<T> = (value: unknown, name: string) => T;

/** A reader for every field of an interface: the compiler refuses a name that only one of the two has. */
export type ReadersOf<T> = { readonly [K in keyof T]-?: Reader<unknown> };

type Readers = Readonly<Record<string, Reader<unknown>>>;
type ArgumentsOf<R extends Readers> = { -readonly [K in keyof R]?: Exclude<ReturnType<R[K]>, undefined> };

/** Names that other libraries know and this one does not have: the values that change nothing there, and advice. */
export type Unsupported = Readonly<Record<string, readonly [neutral: readonly unknown[], fix?: string]>>;

interface Rules<Q> {
  readonly required?: readonly Q[];
  /** Other names of arguments. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly unsupported?: Unsupported;
  /** How to call it, for a call that is wrong as a whole. */
  readonly usage?: string;
}

/**
 * The schema of a public call: reads its object of named arguments. An undefined argument counts as not given. Unknown
 * arguments, and those that would be ignored, are refused.
 * @param call its name, for errors. @throws EngineError `usage` naming the argument.
 */
export function argumentsOf<R extends Readers, Q extends keyof R & string = never>(
  call: string,
  readers: R,
  { required = [], aliases = {}, unsupported = {}, usage }: Rules<Q> = {},
): (given: unknown) => ArgumentsOf<R> & Required<Pick<ArgumentsOf<R>, Q>> {
  const refuse = (where: string, problem: string, fix = usage): never => {
    throw new EngineError("usage", problem, { where, ...(fix === undefined ? {} : { fix }) });
  };
  return (given) => {
    if (!isPlainObject(given ?? {}))
      refuse(call, `takes its arguments by name, in one object, and got ${describe(given)}`);
    const read: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(given ?? {})) {
      const argument = Object.hasOwn(aliases, name) ? aliases[name] : name;
      if (value === undefined) continue;
      if (Object.hasOwn(unsupported, name)) {
        const [neutral, fix = `leave it out: ${call} does not have it`] = unsupported[name];
        if (!neutral.includes(value)) refuse(name, `${describe(value)} is not supported`, fix);
      } else if (!Object.hasOwn(readers, argument))
        refuse(
          name,
          `is not an argument of ${call}`,
          didYouMean(name, [...Object.keys(readers), ...Object.keys(aliases)]),
        );
      else if (Object.hasOwn(read, argument)) refuse(name, `is given twice: it is another name of ${argument}`);
      else {
        const meaning = readers[argument](value, name);
        if (meaning !== undefined) read[argument] = meaning;
      }
    }
    for (const name of required)
      if (!Object.hasOwn(read, name)) refuse(name, `is missing from the arguments of ${call}`);
    return read as ReturnType<ReturnType<typeof argumentsOf<R, Q>>>;
  };
}

/** @throws EngineError `usage` for arguments beyond those that a call has: they would be ignored. */
export function refuseMore(call: string, more: readonly unknown[], fix: string): void {
  const extra = more.find((value) => value !== undefined);
  if (extra === undefined) return;
  throw new EngineError("usage", `takes no further argument, and got ${describe(extra)}`, { where: call, fix });
}

export function wrongArgument(name: string, expected: string, value: unknown, fix?: string): EngineError {
  return new EngineError("usage", "wrong value", {
    where: name,
    expected,
    actual: describe(value),
    ...(fix === undefined ? {} : { fix }),
  });
}

/** A value in few words: a tensor or a text is not written out. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  return isPlainObject(value) ? "an object" : (value.constructor as { name: string } | undefined)?.name || "an object";
}

/** Made by `{}`, also in another frame. The property names of a promise or an array are not names of arguments. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

// ---- readers

/** Takes the values that `accepts` approves. @param expected names them in the error. */
export function reader<T>(expected: string, accepts: (value: unknown) => boolean): Reader<T> {
  return (value, name) => {
    if (accepts(value)) return value as T;
    throw wrongArgument(name, expected, value);
  };
}

/** Python's None, where it means "not given". */
export function noneOr<T>(read: Reader<T>): Reader<T | undefined> {
  return (value, name) => (value === null ? undefined : read(value, name));
}

/** Where null is a value of its own. */
export function nullOr<T>(read: Reader<T>): Reader<T | null> {
  return (value, name) => (value === null ? null : read(value, name));
}

export const readBoolean = reader<boolean>("true or false", (value) => typeof value === "boolean");
export const readString = reader<string>("a string that is not empty", (v) => typeof v === "string" && v !== "");
export const readSignal = noneOr(reader<AbortSignal>("an AbortSignal", isSignal));

export function readFunction<F>(): Reader<F | undefined> {
  return noneOr(reader<F>("a function", (value) => typeof value === "function"));
}

export function readOneOf<T extends string>(...values: readonly T[]): Reader<T> {
  return reader(values.map((value) => `"${value}"`).join(" or "), (value) => values.includes(value as T));
}

/** A whole number; a bigint that a number holds is one. */
/** An object of any names, whose values are all read alike. */
export function readRecord<T>(read: Reader<T>): Reader<Readonly<Record<string, T>>> {
  const readObject = reader<Record<string, unknown>>("an object of named values", isPlainObject);
  return (value, name) =>
    Object.fromEntries(
      Object.entries(readObject(value, name)).map(([key, each]) => [key, read(each, `${name}.${key}`)]),
    );
}

export function readInteger(min: number, max = Number.MAX_SAFE_INTEGER): Reader<number> {
  const expected = max === Number.MAX_SAFE_INTEGER ? `an integer ≥ ${min}` : `an integer from ${min} to ${max}`;
  return (value, name) => {
    const number = typeof value === "bigint" ? Number(value) : value;
    if (Number.isSafeInteger(number) && (number as number) >= min && (number as number) <= max) return number as number;
    throw wrongArgument(name, expected, value);
  };
}

/** A finite number. */
export function readNumber(expected: string, accepts: (value: number) => boolean): Reader<number> {
  return reader(expected, (value) => typeof value === "number" && Number.isFinite(value) && accepts(value));
}

function isSignal(value: unknown): boolean {
  const signal = value as Partial<AbortSignal> | null;
  return typeof signal?.aborted === "boolean" && typeof signal.addEventListener === "function";
}
