import { parseDocument, DomUtils } from "htmlparser2";
import { EngineError } from "../../../../engine/errors.ts";
import { resolved, type EpubArchive } from "./archive.ts";

/** What the package document of an EPUB says. */
export interface EpubPackage {
  readonly title: string | undefined;
  readonly author: string | undefined;
  readonly language: string | undefined;
  /** Documents in the order in which they are read. */
  readonly spine: readonly string[];
  /** Its table of contents: a document of EPUB 3, an NCX of EPUB 2. */
  readonly contents: { readonly path: string; readonly isNcx: boolean } | undefined;
}

/** An entry of the table of contents. */
export interface ContentsEntry {
  readonly title: string;
  readonly path: string;
  /** Id of an element in the document, or nothing. */
  readonly fragment: string;
}

type Document = ReturnType<typeof parseDocument>;
type Element = ReturnType<typeof DomUtils.getElementsByTagName>[number];

/** @throws EngineError `bad-input` for a missing or broken package. */
export async function readPackage(archive: EpubArchive): Promise<EpubPackage> {
  const container = await readXml(archive, "META-INF/container.xml");
  const root = elements(container, "rootfile")[0]?.attribs["full-path"];
  const at = root === undefined ? undefined : resolved(root, "");
  if (at === undefined) throw broken(archive, "META-INF/container.xml", "names no package", "<rootfile full-path>");
  const xml = await readXml(archive, at.path);
  const first = (name: string): string | undefined => textOf(elements(xml, name)[0]) || undefined;
  const manifest = new Map<string, { path: string; type: string; properties: string }>();
  for (const { attribs } of elements(xml, "item")) {
    const target = resolved(attribs["href"] ?? "", at.path);
    const [type, properties] = [attribs["media-type"] ?? "", attribs["properties"] ?? ""];
    if (target !== undefined) manifest.set(attribs["id"] ?? "", { path: target.path, type, properties });
  }
  const nav = [...manifest.values()].find(({ properties }) => /(?:^|\s)nav(?:\s|$)/.test(properties));
  const ncx =
    manifest.get(elements(xml, "spine")[0]?.attribs["toc"] ?? "") ??
    [...manifest.values()].find(({ type }) => type === "application/x-dtbncx+xml");
  const spine = elements(xml, "itemref").flatMap(({ attribs }) => {
    const item = manifest.get(attribs["idref"] ?? "");
    // What is not linear is looked up, such as notes; a table of contents is no text to listen to.
    const isRead = item !== undefined && attribs["linear"] !== "no" && item !== nav && /html|xml|^$/.test(item.type);
    return isRead && !/svg/.test(item.type) ? [item.path] : [];
  });
  if (spine.length === 0) throw broken(archive, at.path, "names no documents to read", "a <spine> of <itemref>");
  return {
    title: first("title"),
    author: first("creator"),
    language: first("language"),
    spine: [...new Set(spine)],
    contents: nav ? { path: nav.path, isNcx: false } : ncx && { path: ncx.path, isNcx: true },
  };
}

/** The entries of the table of contents, at all levels, in its order. */
export async function readContents(archive: EpubArchive, { contents }: EpubPackage): Promise<ContentsEntry[]> {
  // A book without a table of contents can still be read.
  if (contents === undefined || !archive.has(contents.path)) return [];
  const xml = await readXml(archive, contents.path);
  const found = contents.isNcx ? ncxEntries(xml) : navEntries(xml);
  return found.flatMap(({ title, href }) => {
    const target = href === undefined ? undefined : resolved(href, contents.path);
    return target === undefined || title === "" ? [] : [{ title, ...target }];
  });
}

function ncxEntries(xml: Document): { title: string; href: string | undefined }[] {
  return elements(xml, "navpoint").map((point) => ({
    title: textOf(elements(point, "text")[0]),
    href: elements(point, "content")[0]?.attribs["src"],
  }));
}

function navEntries(xml: Document): { title: string; href: string | undefined }[] {
  const navs = elements(xml, "nav");
  const toc = navs.find(({ attribs }) => /(?:^|\s)toc(?:\s|$)/.test(attribs["epub:type"] ?? "")) ?? navs[0];
  return toc === undefined
    ? []
    : elements(toc, "a").map((link) => ({ title: textOf(link), href: link.attribs["href"] }));
}

/** Elements of a name, whatever their namespace's prefix, in the order of the document. */
function elements(parent: Document | Element, name: string): Element[] {
  const local = (tag: string): string => tag.slice(tag.indexOf(":") + 1).toLowerCase();
  return DomUtils.getElementsByTagName((tag) => local(tag) === name, parent, true);
}

function textOf(element: Element | undefined): string {
  return element === undefined ? "" : DomUtils.textContent(element).trim().replaceAll(/\s+/g, " ");
}

async function readXml(archive: EpubArchive, path: string): Promise<Document> {
  return parseDocument(await archive.text(path), { xmlMode: true });
}

function broken(archive: EpubArchive, path: string, problem: string, expected: string): EngineError {
  return new EngineError("bad-input", problem, {
    where: archive.place(path),
    expected,
    actual: "none",
    fix: "the EPUB is broken: fetch it again",
  });
}
