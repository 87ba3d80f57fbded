import { shownAddress, splitCredentials } from "../address.ts";
import type { ByteSource } from "../sources/byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "./file_store.ts";
import { innerPath } from "../hub/repository.ts";
import { openHttpSource, type HttpOptions } from "../sources/http.ts";

/** The files below an address. Its user and password go to its origin alone, its query (a signature) to each file. */
export class HttpStore implements FileStore {
  readonly #folder: URL;
  readonly #options: HttpOptions;
  #hasPages = false;

  /**
   * @param address of the folder, with or without a slash at its end.
   * @param options its signal stops reading.
   * @throws EngineError `usage` for another text.
   */
  constructor(address: string, options: HttpOptions = {}) {
    if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
      throw new EngineError("usage", "is not the address of a folder that can be fetched", {
        where: address,
        fix: "give one that begins with https:// or http://",
      });
    const { url, authorization } = splitCredentials(new URL(address));
    url.pathname = url.pathname.replace(/\/*$/, "/");
    this.#folder = url;
    this.#options = { ...options, authorization, onPage: () => (this.#hasPages = true) };
  }

  /** Its name; it says so if an HTML page came in place of a file, which then counts as missing. */
  get name(): string {
    const shown = shownAddress(this.#folder).replace(/\/$/, "");
    return this.#hasPages ? `${shown} (sends an HTML page in place of a file)` : shown;
  }

  /** @throws EngineError `bad-input` if the path leaves the folder, `io` if the server cannot be reached; `aborted`. */
  async open(path: string): Promise<ByteSource | undefined> {
    const url = new URL(this.#folder);
    url.pathname += innerPath(this.name, path).split("/").map(encodeURIComponent).join("/");
    return await openHttpSource(url, this.#options);
  }
}
