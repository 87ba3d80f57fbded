import type { ByteSource } from "../byte_source.ts";
import type { FileStore } from "../file_store.ts";
import { openHttpSource } from "../sources/http.ts";

/** The files below a URL. */
export class HttpStore implements FileStore {
  readonly name: string;

  /** @param url of the folder, with or without a slash at its end. */
  constructor(url: string) {
    this.name = url.replace(/\/+$/, "");
  }

  async open(path: string): Promise<ByteSource | undefined> {
    return await openHttpSource(`${this.name}/${path.split("/").map(encodeURIComponent).join("/")}`);
  }
}
