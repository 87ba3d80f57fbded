import type { ByteSource } from "../../../../checkpoint/sources/byte_source.ts";
import { relativePath } from "../../../../checkpoint/relative_path.ts";
import { ZipReader } from "../../../../checkpoint/zip.ts";
import { EngineError } from "../../../../engine/errors.ts";

/** Most bytes of all documents together. No text comes near this; a bomb does. */
const mostBytes = 1 << 27;
/** Obscured fonts (IDPF, Adobe) are no hindrance: what is encrypted otherwise is a lock. */
const fontAlgorithms = /^http:\/\/(?:www\.idpf\.org\/2008\/embedding|ns\.adobe\.com\/pdf\/enc#RC)$/;

/** The files of an EPUB container (OCF 3.3). */
export class EpubArchive {
  readonly #zip: ZipReader;
  #left = mostBytes;

  private constructor(zip: ZipReader) {
    this.#zip = zip;
  }

  /** @throws EngineError `bad-input` if it is no zip archive, or its content is encrypted. */
  static async open(source: ByteSource): Promise<EpubArchive> {
    const archive = new EpubArchive(await ZipReader.open(source));
    await archive.#refuseLocks();
    return archive;
  }

  has(path: string): boolean {
    return this.#zip.entries.has(path);
  }

  /** For errors: the archive and a file in it. */
  place(path: string): string {
    return `${this.#zip.source.name}: ${path}`;
  }

  /** @throws EngineError `bad-input` if there is no such file or it is damaged. */
  async text(path: string): Promise<string> {
    const entry = this.#zip.entries.get(path);
    if (entry === undefined)
      throw new EngineError("bad-input", "is missing", {
        where: this.place(path),
        fix: "the EPUB is broken: fetch it again",
      });
    const bytes = await this.#zip.read(entry, this.#left);
    this.#left -= bytes.length;
    return decodeXml(bytes);
  }

  async #refuseLocks(): Promise<void> {
    const locked = (by: string): EngineError =>
      new EngineError("bad-input", "is encrypted (DRM): its text cannot be read", {
        where: this.#zip.source.name,
        actual: by,
        fix: "give an EPUB without copy protection",
      });
    if (this.has("META-INF/license.lcpl")) throw locked("META-INF/license.lcpl");
    if (!this.has("META-INF/encryption.xml")) return;
    const text = await this.text("META-INF/encryption.xml");
    const data = [...text.matchAll(/<(?:\w+:)?EncryptedData[\s>][\s\S]*?<\/(?:\w+:)?EncryptedData>/g)];
    const algorithms = data.map(
      ([item]) => /EncryptionMethod[^>]*\bAlgorithm\s*=\s*["']([^"']*)/.exec(item)?.[1] ?? "unknown",
    );
    const lock = algorithms.find((algorithm) => !fontAlgorithms.test(algorithm));
    if (lock !== undefined) throw locked(lock);
  }
}

/** By its mark, then by its XML declaration, else UTF-8. */
function decodeXml(bytes: Uint8Array): string {
  const mark = (bytes[0] << 8) | bytes[1];
  if (mark === 0xfffe || mark === 0xfeff)
    return new TextDecoder(mark === 0xfffe ? "utf-16le" : "utf-16be").decode(bytes);
  const declaration = String.fromCharCode(...bytes.subarray(0, 100));
  const label = /^(?:ï»¿)?\s*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)/.exec(declaration)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes); // A label that nobody knows.
  }
}

/** A path that a file of the archive names, from the archive's top, and its fragment; undefined if it leads elsewhere. */
export function resolved(href: string, from: string): { path: string; fragment: string } | undefined {
  const [address, fragment = ""] = href.split("#", 2).map(percentDecoded);
  if (/^[a-z][a-z0-9+.-]*:/i.test(address)) return undefined;
  const folder = from.slice(0, from.lastIndexOf("/") + 1);
  const parts: string[] = [];
  for (const part of (address === "" ? from : address.startsWith("/") ? address : folder + address).split("/"))
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  const path = relativePath(parts.join("/"));
  return path === undefined ? undefined : { path, fragment };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
