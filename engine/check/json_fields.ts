import { EngineError } from "../errors.ts";

export type JsonObject = { readonly [key: string]: unknown };

interface Range {
  /** Least value allowed. */
  min?: number;
  max?: number;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Typed access to the fields of a parsed JSON object: a wrong field is reported with the file and its name. */
export class JsonFields {
  /** What the fields are read from, for errors: `config.json` or `config.json: semantic_config`. */
  readonly where: string;
  readonly #fields: JsonObject;

  /** @throws EngineError `bad-input` if `value` is not an object. */
  constructor(value: unknown, where: string) {
    if (!isObject(value))
      throw new EngineError("bad-input", "is not a JSON object", { where, expected: "an object", actual: value });
    this.#fields = value;
    this.where = where;
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  raw(name: string): unknown {
    return this.#fields[name];
  }

  /** An absent field gives `fallback`; null is a value like any other. */
  integer(name: string, fallback: number, { min = 0, max = Infinity }: Range = {}): number {
    const value = this.#fields[name] ?? this.#nullIsWrong(name, "an integer") ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
    return this.fail(name, max === Infinity ? `an integer ≥ ${min}` : `an integer from ${min} to ${max}`);
  }

  /** A finite number above 0. */
  positive(name: string, fallback: number): number {
    const value = this.#fields[name] ?? this.#nullIsWrong(name, "a number") ?? fallback;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    return this.fail(name, "a number above 0");
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.#fields[name] ?? this.#nullIsWrong(name, "true or false") ?? fallback;
    return typeof value === "boolean" ? value : this.fail(name, "true or false");
  }

  string<T extends string>(name: string, fallback: T, allowed: readonly T[]): T {
    const value = this.#fields[name] ?? this.#nullIsWrong(name, "a string") ?? fallback;
    return allowed.includes(value as T) ? (value as T) : this.fail(name, allowed.map((s) => `"${s}"`).join(" or "));
  }

  /** A number, or null where the field says "none". */
  numberOrNull(name: string, fallback: number | null): number | null {
    const value = this.has(name) ? this.#fields[name] : fallback;
    if (value === null || (typeof value === "number" && Number.isFinite(value))) return value;
    return this.fail(name, "a number or null");
  }

  /** A list of at least one number above 0. */
  positiveList(name: string, fallback: readonly number[], integers = false): number[] {
    const value = this.#fields[name] ?? this.#nullIsWrong(name, "a list") ?? fallback;
    const good = (item: unknown): boolean =>
      typeof item === "number" && Number.isFinite(item) && item > 0 && (!integers || Number.isInteger(item));
    if (Array.isArray(value) && value.length > 0 && value.every(good)) return [...(value as number[])];
    return this.fail(name, `a list of ${integers ? "integers" : "numbers"} above 0`);
  }

  /** A field that is kept only to be written again. Python also writes null and NaN there: these become the fallback. */
  kept<T extends number | boolean>(name: string, fallback: T): T {
    const value = this.#fields[name] ?? fallback;
    if (typeof value !== typeof fallback) return this.fail(name, `a ${typeof fallback}`);
    return typeof value === "number" && !Number.isFinite(value) ? fallback : (value as T);
  }

  fail(name: string, expected: string, fix = "correct it, or fetch the file again"): never {
    const actual = this.#fields[name] ?? null;
    throw new EngineError("bad-input", `wrong value of "${name}"`, {
      where: this.where,
      expected,
      // In quotes: "2" in place of 2 would look right.
      actual: typeof actual === "string" ? JSON.stringify(actual) : actual,
      fix,
    });
  }

  #nullIsWrong(name: string, expected: string): undefined {
    if (this.#fields[name] === null) this.fail(name, expected);
    return undefined;
  }
}
