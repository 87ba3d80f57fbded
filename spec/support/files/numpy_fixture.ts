import { readFileSync } from "node:fs";

interface NumpyArray {
  name: string;
  npy: Uint8Array<ArrayBuffer>;
  /** numpy's own name, such as `>i2`. */
  dtype: string;
  shape: number[];
  /** In row-major order. */
  values: (number | boolean)[];
}

interface Stored {
  arrays: (Omit<NumpyArray, "npy"> & { npy: string })[];
  refused: Record<string, string>;
  archives: Record<string, string>;
}

const stored = JSON.parse(readFileSync("spec/fixtures/numpy/arrays.json", "utf8")) as Stored;

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(base64, "base64"));
const decoded = (files: Record<string, string>): Record<string, Uint8Array<ArrayBuffer>> =>
  Object.fromEntries(Object.entries(files).map(([name, base64]) => [name, bytesOf(base64)]));

/** Arrays that can be read. */
export const numpyArrays: NumpyArray[] = stored.arrays.map((array) => ({ ...array, npy: bytesOf(array.npy) }));
/** Arrays of other types. */
export const refusedArrays = decoded(stored.refused);
/** `.npz` files of `a` = [[0, 1, 2], [3, 4, 5]] and `b` = [1.5, -2]. */
export const numpyArchives = decoded(stored.archives);
