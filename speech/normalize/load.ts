import { optionalPackage } from "../../audio/encode/stream.ts";
import { wrongArgument } from "../../engine/check/arguments.ts";
import { basicRules } from "./basic.ts";
import type { Language } from "./language.ts";
import { lexiconOf, lexiconRule, type Lexicon } from "./lexicon.ts";
import { rewriterOf, type Rewriter } from "./rewrite.ts";
import type { Rule } from "./rule.ts";

/** Bark's languages. Each is loaded when it is spoken, n2words' part of it too. */
const languages: Readonly<Record<string, () => Promise<Language>>> = {
  en: async () => (await import("./languages/en.ts")).en,
  de: async () => (await import("./languages/de.ts")).de,
  es: async () => (await import("./languages/es.ts")).es,
  fr: async () => (await import("./languages/fr.ts")).fr,
  hi: async () => (await import("./languages/hi.ts")).hi,
  it: async () => (await import("./languages/it.ts")).it,
  ja: async () => (await import("./languages/ja.ts")).ja,
  ko: async () => (await import("./languages/ko.ts")).ko,
  pl: async () => (await import("./languages/pl.ts")).pl,
  pt: async () => (await import("./languages/pt.ts")).pt,
  ru: async () => (await import("./languages/ru.ts")).ru,
  tr: async () => (await import("./languages/tr.ts")).tr,
  zh: async () => (await import("./languages/zh.ts")).zh,
};

/** How a text is made speakable. */
export interface NormalizeOptions {
  /** `basic`: numbers, units, addresses and abbreviations in words; `none` (default): as it is written. */
  readonly normalize?: "none" | "basic";
  /** How words are spoken: by name, or the text of a file. It comes before the rules of the language. */
  readonly lexicon?: Lexicon | string;
}

/**
 * What makes a text speakable; `undefined`: nothing does.
 * @throws EngineError `usage` for a language without rules, `bad-input` for a lexicon, `io` without n2words.
 */
export async function loadRewriter(
  { normalize = "none", lexicon }: NormalizeOptions,
  language: string,
): Promise<Rewriter | undefined> {
  const rules: Rule[] = [];
  if (lexicon !== undefined) rules.push(lexiconRule(lexiconOf(lexicon)));
  if (normalize === "basic") rules.push(...basicRules(await languageOf(language)));
  return rules.length === 0 ? undefined : rewriterOf(rules);
}

async function languageOf(name: string): Promise<Language> {
  if (!Object.hasOwn(languages, name))
    throw wrongArgument("language", `one of ${Object.keys(languages).join(", ")} for normalize: "basic"`, name);
  return await optionalPackage("n2words", "normalize", languages[name]);
}
