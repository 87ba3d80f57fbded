import { missingTensor } from "./safetensors/file.ts";
import type { TensorInfo, TensorReader } from "../engine/weights/tensor_reader.ts";

/** Where a tensor lies: its name in one of the readers. */
export interface TensorPlace {
  readonly reader: TensorReader;
  readonly name: string;
}

/** The tensors of several files as one checkpoint, under names of its own. */
export class MergedReader implements TensorReader {
  readonly #name: string;
  readonly #readers: readonly TensorReader[];
  readonly #places: ReadonlyMap<string, TensorPlace>;

  /** @param name for errors. @param readers are closed with this one. */
  constructor(name: string, readers: readonly TensorReader[], places: ReadonlyMap<string, TensorPlace>) {
    this.#name = name;
    this.#readers = readers;
    this.#places = places;
  }

  names(): Iterable<string> {
    return this.#places.keys();
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  info(name: string): TensorInfo {
    const place = this.#place(name);
    return place.reader.info(place.name);
  }

  async readFloat32(name: string): Promise<Float32Array<ArrayBuffer>> {
    const place = this.#place(name);
    return await place.reader.readFloat32(place.name);
  }

  async readRows(name: string, first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const place = this.#place(name);
    return await place.reader.readRows(place.name, first, count);
  }

  async gatherRows(name: string, rows: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const place = this.#place(name);
    return await place.reader.gatherRows(place.name, rows);
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) await reader.close();
  }

  #place(name: string): TensorPlace {
    const place = this.#places.get(name);
    if (place === undefined) throw missingTensor(name, this.#name);
    return place;
  }
}
