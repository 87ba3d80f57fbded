import { writeZip } from "../../../checkpoint/zip.ts";

const xml = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Files of an EPUB 3 of three documents, two of which its table of contents names. */
export const epubFiles: Readonly<Record<string, string>> = {
  mimetype: "application/epub+zip",
  "META-INF/container.xml": `${xml}<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>
    <rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`,
  "OEBPS/book.opf": `${xml}<package xmlns="http://www.idpf.org/2007/opf" version="3.0">
    <metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Dog &amp; the Cat</dc:title>
    <dc:creator>A. Writer</dc:creator><dc:language>en-GB</dc:language></metadata>
    <manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
    <item id="a" href="text/title%20page.xhtml" media-type="application/xhtml+xml"/>
    <item id="b" href="text/one.xhtml" media-type="application/xhtml+xml"/>
    <item id="n" href="text/notes.xhtml" media-type="application/xhtml+xml"/>
    <item id="css" href="s.css" media-type="text/css"/></manifest>
    <spine><itemref idref="a"/><itemref idref="nav"/><itemref idref="b"/><itemref idref="n" linear="no"/></spine></package>`,
  "OEBPS/nav.xhtml": `${xml}<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>
    <nav epub:type="landmarks"><ol><li><a href="nav.xhtml">Contents</a></li></ol></nav>
    <nav epub:type="toc"><ol><li><a href="text/one.xhtml">Part One</a><ol>
    <li><a href="text/one.xhtml#c1">The <em>dog</em></a></li><li><a href="text/one.xhtml#c2">The cat</a></li></ol></li></ol></nav></body></html>`,
  "OEBPS/text/title page.xhtml": `${xml}<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body><h1>The Dog
    &amp; the Cat</h1><img src="x.png" alt="x"/></body></html>`,
  "OEBPS/text/one.xhtml": `${xml}<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>x</title>
    <style>p { color: red }</style></head><body><section id="c1"><h2>The dog</h2>
    <p>The dog&#8217;s <b>here</b>.<a epub:type="noteref" href="notes.xhtml#1">1</a> It<br/>sits.</p></section>
    <span epub:type="pagebreak" id="p7">7</span><h2 id="c2">The cat</h2><p>The cat is there.</p>
    <aside epub:type="footnote"><p>A note.</p></aside></body></html>`,
  "OEBPS/text/notes.xhtml": `${xml}<html xmlns="http://www.w3.org/1999/xhtml"><body><p>Notes nobody hears.</p></body></html>`,
};

/** @param changed files in place of those; undefined leaves one out. */
export function epubOf(changed: Readonly<Record<string, string | undefined>> = {}): Uint8Array<ArrayBuffer> {
  const files = Object.entries({ ...epubFiles, ...changed }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return writeZip(new Map(files.map(([name, text]) => [name, new TextEncoder().encode(text)])));
}
