import { Parser } from "htmlparser2";

/** The text of an XHTML document. */
export interface DocumentText {
  /** Paragraphs with empty lines between. */
  readonly text: string;
  /** Where in it the elements with an id begin. */
  readonly ids: ReadonlyMap<string, number>;
  /** Of the first h1, h2 or h3. */
  readonly heading: string | undefined;
}

/** Elements whose content nobody reads aloud. */
const silent = new Set("head script style template svg math rt rp audio video object iframe".split(" "));
/** Parts that stand beside the text: references to notes, the notes, numbers of pages. */
const aside = /(?:^|\s)(?:noteref|footnotes?|endnotes?|rearnotes?|pagebreak|page-list|landmarks)(?:\s|$)/;
/** Elements around which paragraphs end. */
const blocks = new Set(
  (
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 " +
    "h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul"
  ).split(" "),
);

/** Documents of real books are not always well-formed: what a browser would show is read. */
export function readDocument(xhtml: string): DocumentText {
  const reader = new DocumentReader();
  // XHTML closes empty elements by />, which HTML does not know: an empty <title/> would swallow the document.
  const parser = new Parser(reader, { decodeEntities: true, recognizeSelfClosing: true });
  parser.write(xhtml);
  parser.end();
  return reader.result();
}

class DocumentReader {
  #text = "";
  /** White space that stands before the next words: a space, or the end of a paragraph. */
  #before = "";
  readonly #ids = new Map<string, number>();
  /** Ids that wait for the next words. */
  readonly #waiting: string[] = [];
  /** Depth of elements within one that is not read; 0 outside. */
  #skipped = 0;
  #heading: { start: number; end?: number } | undefined;

  readonly onopentag = (name: string, attributes: Readonly<Record<string, string>>): void => {
    const isAside =
      aside.test(attributes["epub:type"] ?? "") ||
      /^doc-(?:noteref|pagebreak|endnotes?|footnote)$/.test(attributes["role"] ?? "");
    if (this.#skipped > 0 || silent.has(name) || isAside || attributes["hidden"] !== undefined) {
      this.#skipped++;
      return;
    }
    if (blocks.has(name)) this.#before = "\n\n";
    else if (name === "br" && this.#before === "") this.#before = "\n";
    const id = attributes["id"] ?? (name === "a" ? attributes["name"] : undefined);
    if (id !== undefined) this.#waiting.push(id);
    if (/^h[1-3]$/.test(name)) this.#heading ??= { start: this.#text.length };
  };

  readonly ontext = (text: string): void => {
    if (this.#skipped > 0) return;
    for (const [part] of text.matchAll(/[ \t\r\n\f]+|[^ \t\r\n\f]+/g))
      if (part.trim() === "" && /^[ \t\r\n\f]/.test(part)) this.#before ||= " ";
      else this.#word(part);
  };

  readonly onclosetag = (name: string): void => {
    if (this.#skipped > 0) {
      this.#skipped--;
      return;
    }
    if (/^h[1-3]$/.test(name) && this.#heading?.end === undefined && this.#heading)
      this.#heading.end = this.#text.length;
    if (blocks.has(name)) this.#before = "\n\n";
  };

  #word(word: string): void {
    if (this.#text !== "") this.#text += this.#before;
    this.#before = "";
    for (const id of this.#waiting.splice(0)) this.#ids.set(id, this.#text.length);
    this.#text += word;
  }

  result(): DocumentText {
    for (const id of this.#waiting) this.#ids.set(id, this.#text.length);
    const { start, end } = this.#heading ?? {};
    const heading = start === undefined ? "" : this.#text.slice(start, end).trim().replaceAll(/\s+/g, " ");
    return { text: this.#text, ids: this.#ids, heading: heading || undefined };
  }
}
