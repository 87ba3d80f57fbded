import { open, rm, type FileHandle } from "node:fs/promises";
import { withTemporary, writeError } from "../../checkpoint/node/atomic_file.ts";

/** Samples that wait for the end of the sound: in a file, so that an hour of it takes no memory. */
export class SampleSpool {
  /** Samples of what was pushed. */
  readonly #lengths: number[] = [];
  readonly #file: FileHandle;
  readonly #fail: (error: NodeJS.ErrnoException) => never;

  private constructor(file: FileHandle, fail: (error: NodeJS.ErrnoException) => never) {
    this.#file = file;
    this.#fail = fail;
  }

  /** @param folder takes the file while `use` runs. @throws EngineError `io`; what `use` throws. */
  static async within<T>(folder: string, use: (spool: SampleSpool) => Promise<T>): Promise<T> {
    const fail = (error: NodeJS.ErrnoException): never => {
      throw writeError(folder, error);
    };
    return await withTemporary(folder, async (temporary) => {
      const file = await open(temporary, "wx+", 0o600).catch(fail);
      // Nothing is left of a process that is killed. Windows keeps the name of an open file.
      await rm(temporary).catch(() => undefined);
      try {
        return await use(new SampleSpool(file, fail));
      } finally {
        await file.close();
      }
    });
  }

  get length(): number {
    return this.#lengths.reduce((sum, length) => sum + length, 0);
  }

  async push(samples: Float32Array): Promise<void> {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    await this.#file.writeFile(bytes).catch(this.#fail);
    this.#lengths.push(samples.length);
  }

  /** What was pushed, again. */
  async *parts(): AsyncGenerator<Float32Array<ArrayBuffer>, void, undefined> {
    let at = 0;
    for (const length of this.#lengths) {
      const samples = new Float32Array(length);
      const bytes = new Uint8Array(samples.buffer);
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await this.#file.read(bytes, done, bytes.length - done, at + done);
        if (bytesRead === 0) throw new Error("the file of samples was cut");
        done += bytesRead;
      }
      at += bytes.length;
      yield samples;
    }
  }
}
