import { describe, isPlainObject } from "../../../engine/check/arguments.ts";
import { EngineError } from "../../../engine/errors.ts";

/**
 * A call as Python has it, `generate(a, b, key=…)`, as one object of names: values by their place, and last an object of
 * keywords. One object alone holds all by name. @param names of the places, in transformers' order.
 * @throws EngineError `usage` for a value too many or given twice.
 */
export function placed(call: string, names: readonly string[], given: readonly unknown[]): Record<string, unknown> {
  const [first] = given;
  // What is neither by place nor by name is refused where names are read.
  if (given.length <= 1 && !isByPlace(first)) return first as Record<string, unknown>;
  const last = given.findLast((value) => value !== undefined);
  const keywords = last !== first && isKeywords(last) ? last : {};
  const values = given.slice(0, keywords === last ? given.lastIndexOf(last) : undefined);
  const refuse = (problem: string, fix: string): never => {
    throw new EngineError("usage", problem, { where: call, fix });
  };
  const usage = `give ${call}(${names.join(", ")}, { … }), or all arguments in one object`;
  const extra = isByPlace(first) ? values.slice(names.length).find((value) => value !== undefined) : given[1];
  if (extra !== undefined) refuse(`takes no further argument, and got ${describe(extra)}`, usage);
  const named: Record<string, unknown> = { ...keywords };
  for (const [i, name] of names.entries()) {
    if (values[i] === undefined) continue;
    if (Object.hasOwn(named, name)) refuse(`got ${name} twice: by place and by name`, usage);
    named[name] = values[i];
  }
  return named;
}

function isByPlace(value: unknown): boolean {
  return typeof value === "object" && value !== null && !(value instanceof Promise) && !isPlainObject(value);
}

/** A voice is a plain object as well. */
function isKeywords(value: unknown): value is Record<string, unknown> {
  return isPlainObject(value) && !Object.hasOwn(value, "semantic_prompt");
}
