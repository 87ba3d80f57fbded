import { EngineError } from "../../engine/errors.ts";

/**
 * An access token as Python's huggingface_hub cleans it: without line breaks and blanks around it; undefined for nothing.
 * @param where it was read, for the error: the token itself is never shown.
 * @throws EngineError `usage` for a text that no header can hold: the error of fetch would show it.
 */
export function cleanToken(token: unknown, where: string): string | undefined {
  if (token === undefined || token === null) return undefined;
  const text = typeof token === "string" ? token.replaceAll(/[\r\n]/g, "").trim() : undefined;
  if (text === "") return undefined;
  if (text !== undefined && /^[\x21-\x7e]+$/.test(text)) return text;
  throw new EngineError("usage", "is not an access token (its value is not shown)", {
    where,
    expected: "a text of letters, digits and signs of ASCII, such as hf_…",
    actual: text === undefined ? `a ${typeof token}` : "a text with other characters in it",
    fix: "copy the token again from the settings of your account",
  });
}
