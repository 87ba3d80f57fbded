import { isObject } from "./json_fields.ts";

/**
 * Fields that transformers takes for floats. It checks types strictly and refuses the whole config for a 1 in the place
 * of a 1.0, which in JavaScript are the same number.
 */
const floats = new Set([
  "dropout",
  "initializer_range",
  "target_bandwidths",
  "chunk_length_s",
  "overlap",
  "trim_right_ratio",
  "temperature",
  "top_p",
  "semantic_rate_hz",
  "min_eos_p",
]);

// A private-use character: no text of a config holds it.
const mark = "\uE000";

/** JSON as transformers writes and reads it. @param sorted by name, at every level, as in config.json. */
export function configJson(value: unknown, { sorted = false }: { sorted?: boolean } = {}): string {
  const replace = (key: string, item: unknown): unknown => {
    if (floats.has(key)) return markFloats(item);
    return sorted && isObject(item) ? Object.fromEntries(Object.entries(item).sort(byName)) : item;
  };
  const text = JSON.stringify(value, replace, 2).replaceAll(new RegExp(`"${mark}(.*?)"`, "g"), "$1");
  return `${text.replaceAll(/[^\0-\x7e]/g, escape)}\n`;
}

/** As Python escapes what is not ASCII. */
const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

function markFloats(item: unknown): unknown {
  if (Array.isArray(item)) return item.map(markFloats);
  return Number.isSafeInteger(item) ? `${mark}${item as number}.0` : item;
}
