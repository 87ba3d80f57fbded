import * as fs from "node:fs";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import type { ByteSource } from "../sources/byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import { placeholderBytes, refusePlaceholder } from "../sources/placeholder.ts";
import { checkRange } from "../sources/memory.ts";

const openDescriptor = promisify(fs.open);
const readDescriptor = promisify(fs.read);
const closeDescriptor = promisify(fs.close);

/** Closes the file of a source that nobody closed: garbage collection of an open FileHandle is an error in Node. */
const forgotten = new FinalizationRegistry<number>((descriptor) => void fs.close(descriptor));

/**
 * A file on disk as it was at opening: reading it after a change is an error. `fs.openAsBlob` is wrong above 4 GiB and
 * `readFile` refuses 2 GiB, so ranges go through a descriptor.
 */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #modified: bigint;
  readonly #reads = new Set<Promise<unknown>>();
  #descriptor: number | undefined;

  private constructor(name: string, descriptor: number) {
    const { size, mtimeNs } = fs.fstatSync(descriptor, { bigint: true });
    this.name = name;
    this.size = Number(size);
    this.#modified = mtimeNs;
    this.#descriptor = descriptor;
    forgotten.register(this, descriptor, this);
  }

  /**
   * Opens a file, or gives `undefined` if it does not exist. @throws EngineError `bad-input` if it cannot be read, is not
   * a regular file, or only stands in for one.
   */
  static async open(path: string): Promise<FileSource | undefined> {
    let source: FileSource | undefined;
    try {
      // Before opening: that waits at a pipe for its other end, and has effects on some devices.
      requireFile(path, await stat(path));
      source = new FileSource(path, await openDescriptor(path, "r"));
      refusePlaceholder(path, await source.read(0, Math.min(source.size, placeholderBytes)));
      return source;
    } catch (cause) {
      await source?.close();
      const { code } = cause as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      if (cause instanceof EngineError) throw cause;
      throw new EngineError("bad-input", "cannot be read", { where: path, actual: code, expected: "a file", cause });
    }
  }

  /** @throws EngineError `bad-input` if the file ends before or was changed, `io` if the disk fails or it is closed. */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    const reading = this.#read(offset, length);
    this.#reads.add(reading);
    try {
      return await reading;
    } finally {
      this.#reads.delete(reading);
    }
  }

  async #read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw new EngineError("io", "cannot be read: it is closed", { where: this.name });
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const { bytesRead } = await readDescriptor(
        descriptor,
        bytes,
        done,
        Math.min(length - done, 1 << 30),
        offset + done,
      ).catch((cause: unknown) => {
        throw new EngineError("io", `cannot be read: ${(cause as Error).message}`, { where: this.name, cause });
      });
      if (bytesRead === 0) this.#refuseChange();
      done += bytesRead;
    }
    // Synchronous: waiting for a thread would take longer than the call.
    const { size, mtimeNs } = fs.fstatSync(descriptor, { bigint: true });
    if (Number(size) !== this.size || mtimeNs !== this.#modified) this.#refuseChange();
    return bytes;
  }

  #refuseChange(): never {
    throw new EngineError("bad-input", "the file was changed after it was opened", {
      where: this.name,
      fix: "load the model again",
    });
  }

  async close(): Promise<void> {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    this.#descriptor = undefined;
    forgotten.unregister(this);
    // The number may name another file as soon as this one is closed.
    await Promise.allSettled(this.#reads);
    await closeDescriptor(descriptor);
  }
}

/** @throws EngineError `bad-input` that says what it is instead. */
export function requireFile(path: string, found: fs.Stats): void {
  if (found.isFile()) return;
  const kind = found.isDirectory()
    ? "a folder"
    : found.isFIFO()
      ? "a pipe"
      : found.isSocket()
        ? "a socket"
        : "a device";
  throw new EngineError("bad-input", "is not a file", { where: path, actual: kind });
}
