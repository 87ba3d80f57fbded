import { MappedText } from "./source_map.ts";
import { readPause, wrong, type Script } from "./script.ts";
import type { Range } from "../split/sentences.ts";

/** Whether a text says that it is SSML. */
export function isSsml(text: string): boolean {
  return /^\s*(?:<\?xml[^>]*\?>\s*)?<speak[\s>/]/.test(text);
}

/** Milliseconds of `<break strength>` (W3C leaves them to the speaker; these are Kokoro-FastAPI's). */
const strengths: Readonly<Record<string, number>> = {
  none: 0,
  "x-weak": 100,
  weak: 250,
  medium: 500,
  strong: 1000,
  "x-strong": 1500,
};

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Deeper nesting is no text for a speaker. */
const deepest = 32;

interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly at: Range;
}

/**
 * Reads a small part of SSML 1.1: `<speak>`, `<break>`, `<voice name>`, `<sub alias>`, `<p>` and `<s>`. Of all other elements
 * the text is spoken, with a notice: Bark has neither pitch nor phonemes.
 * @throws EngineError `bad-input` with line and column for XML that is not well-formed, and for a DOCTYPE.
 */
export function readSsml(source: string): Script {
  return new SsmlReader(source).read();
}

class SsmlReader {
  readonly #source: string;
  readonly #parts: Script["parts"][number][] = [];
  readonly #open: Element[] = [];
  readonly #stripped = new Set<string>();
  #text = new MappedText();
  #hasRoot = false;

  constructor(source: string) {
    this.#source = source;
  }

  read(): Script {
    const tokens =
      /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<\/?([A-Za-z_][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|&(#x?[\da-f]+|\w+);|[^<&]+|[<&]/gi;
    for (const match of this.#source.matchAll(tokens)) this.#token(match);
    const left = this.#open.at(-1);
    if (left !== undefined) throw wrong(`<${left.name}> is not closed`, this.#source, left.at);
    this.#flush();
    const notices = [...this.#stripped].map((name) => `SSML <${name}> has no effect in Bark: its text is spoken`);
    return { source: this.#source, parts: this.#parts, notices };
  }

  #token({ index, 0: token, 1: data, 2: name, 3: attributes, 4: empty, 5: entity }: RegExpExecArray): void {
    const at = { start: index, end: index + token.length };
    if (name !== undefined) this.#tag(token, name.toLowerCase(), attributes, empty === "/", at);
    else if (entity !== undefined) this.#say(this.#character(entity, at), at);
    else if (data !== undefined) this.#say(data, at);
    else if (token === "<" || token === "&")
      throw wrong(`a stray ${token}`, this.#source, at, { fix: `write &${token === "<" ? "lt" : "amp"};` });
    else if (!/^<(?:!--|\?)/.test(token)) this.#say(token, at);
  }

  #tag(token: string, name: string, text: string, isEmpty: boolean, at: Range): void {
    if (token.startsWith("</")) {
      const element = this.#open.at(-1);
      if (element?.name !== name)
        throw wrong(`</${name}> closes what is not open`, this.#source, at, {
          expected: element && `</${element.name}>`,
        });
      this.#leave(element);
      this.#open.pop();
      return;
    }
    const attributes = new Map(
      Array.from(text.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g), ([, key, double, single]) => [
        key.toLowerCase(),
        (double ?? single).replaceAll(/&(#x?[\da-f]+|\w+);/gi, (_, entity: string) => this.#character(entity, at)),
      ]),
    );
    const element = { name, attributes, at };
    if (this.#open.length === 0 && (this.#hasRoot || name !== "speak"))
      throw wrong(`<${name}> is outside <speak>`, this.#source, at);
    this.#hasRoot = true;
    if (this.#open.length >= deepest) throw wrong(`elements nest deeper than ${deepest}`, this.#source, at);
    this.#enter(element);
    if (isEmpty) this.#leave(element);
    else this.#open.push(element);
  }

  #enter(element: Element): void {
    const { name, attributes, at } = element;
    if (name === "voice" || name === "break") this.#flush();
    if (name === "p") this.#text.replace("\n\n", at);
    if (name === "break") this.#parts.push({ kind: "pause", milliseconds: this.#break(element) });
    if (name === "voice" && !attributes.get("name")) throw wrong("<voice> has no name", this.#source, at);
    if (name === "sub") {
      const alias = attributes.get("alias");
      if (alias === undefined) throw wrong("<sub> has no alias", this.#source, at);
      this.#text.replace(alias, at);
    }
    if (!["speak", "break", "voice", "sub", "p", "s"].includes(name)) this.#stripped.add(name);
  }

  #leave({ name, at }: Element): void {
    if (name === "voice") this.#flush();
    if (name === "p") this.#text.replace("\n\n", at);
    if (name === "s") this.#text.replace("\u2028", at);
  }

  #break({ attributes, at }: Element): number {
    const time = attributes.get("time");
    if (time !== undefined) return readPause(time, this.#source, at);
    const strength = attributes.get("strength") ?? "medium";
    if (Object.hasOwn(strengths, strength)) return strengths[strength];
    throw wrong("no such strength", this.#source, at, {
      expected: Object.keys(strengths).join(", "),
      actual: strength,
    });
  }

  #say(text: string, at: Range): void {
    if (this.#open.length === 0) {
      if (text.trim() !== "") throw wrong("there is text outside <speak>", this.#source, at);
      return;
    }
    if (this.#open.some(({ name }) => name === "sub")) return; // Its alias is spoken.
    if (text.length === at.end - at.start) this.#text.copy(this.#source, at.start, at.end);
    else this.#text.replace(text, at);
  }

  #character(entity: string, at: Range): string {
    const number = /^#(x?)([\da-f]+)$/i.exec(entity);
    const code = number === null ? undefined : parseInt(number[2], number[1] === "" ? 10 : 16);
    const character =
      code === undefined ? entities[entity] : code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    if (character !== undefined) return character;
    throw wrong(`no such entity: &${entity};`, this.#source, at, {
      expected: "&amp; &lt; &gt; &quot; &apos; or a number",
    });
  }

  /** What was said so far becomes a passage of the innermost voice. */
  #flush(): void {
    const voice = this.#open.findLast(({ name }) => name === "voice")?.attributes.get("name");
    if (this.#text.text.trim() !== "") this.#parts.push({ kind: "text", text: this.#text, voice });
    this.#text = new MappedText();
  }
}
