import type { ByteSource } from "../byte_source.ts";
import { EngineError } from "../errors.ts";
import type { FileStore } from "../file_store.ts";
import { openHttpSource } from "../sources/http.ts";

/** The files below a URL. */
export class HttpStore implements FileStore {
  readonly name: string;

  /** @param url of the folder, with or without a slash at its end. */
  constructor(url: string) {
    this.name = url.replace(/\/+$/, "");
  }

  /** @throws EngineError `bad-input` if the path leaves the folder. */
  async open(path: string): Promise<ByteSource | undefined> {
    const parts = path.split("/");
    if (parts.includes(".."))
      throw new EngineError("bad-input", "a path leaves the checkpoint's folder", { where: this.name, actual: path });
    return await openHttpSource(`${this.name}/${parts.map(encodeURIComponent).join("/")}`);
  }
}
