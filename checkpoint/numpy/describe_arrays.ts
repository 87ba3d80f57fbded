import type { ByteSource } from "../sources/byte_source.ts";
import { EngineError, printable } from "../../engine/errors.ts";
import type { NdArray } from "../../engine/ndarray.ts";
import { npyStartBytes, parseNpy, parseNpyHeader, readNpy, type NpyHeader } from "./npy.ts";
import { maxNpzBytes } from "./npz.ts";
import { ZipReader, type ZipEntry } from "../zip.ts";

/** A line on the array of a `.npy` file. @throws EngineError `bad-input` for another file. */
export async function describeNpy(source: ByteSource): Promise<string> {
  const header = parseNpyHeader(await source.read(0, Math.min(source.size, npyStartBytes)), source.name);
  return await describe(header, () => readNpy(source));
}

/** A line on each member of an `.npz`, whatever it is. @throws EngineError `bad-input` if it is not a zip archive. */
export async function* describeNpz(source: ByteSource): AsyncGenerator<string> {
  const zip = await ZipReader.open(source);
  for (const entry of zip.entries.values()) yield await describeMember(zip, entry);
}

async function describeMember(zip: ZipReader, entry: ZipEntry): Promise<string> {
  const name = printable(entry.name);
  const where = `${zip.source.name}: ${entry.name}`;
  try {
    const header = parseNpyHeader(await zip.readStart(entry, npyStartBytes), where);
    const line = await describe(header, async () => parseNpy(await zip.read(entry, maxNpzBytes), where));
    return `${name.replace(/\.npy$/, "")}  ${line}`;
  } catch (error) {
    return `${name}  ${entry.size} bytes, no array: ${problemOf(error)}`;
  }
}

/** dtype and shape by the header, and the range of the values, or why it is unknown. */
async function describe({ descr, shape }: NpyHeader, read: () => Promise<NdArray>): Promise<string> {
  const head = `${dtypeName(descr)}  [${shape.join(", ")}]`;
  try {
    return `${head}  ${rangeOf(await read())}`;
  } catch (error) {
    return `${head}  ${problemOf(error)}`;
  }
}

function rangeOf(array: NdArray): string {
  let [least, most] = [Infinity, -Infinity];
  for (const value of array.data) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return array.size === 0 ? "empty" : `from ${least} to ${most}`;
}

function problemOf(error: unknown): string {
  if (error instanceof EngineError && error.code === "bad-input") return error.problem;
  throw error;
}

const kinds: Readonly<Record<string, string>> = {
  ...{ b: "bool", i: "int", u: "uint", f: "float", c: "complex" },
  ...{ O: "object", U: "text", S: "bytes", V: "void", M: "datetime", m: "timedelta" },
};

/** numpy's name of a type, such as `int64` for `<i8`. */
function dtypeName(descr: string): string {
  const [, kind = "", size = ""] = /^[<>|=]?([a-zA-Z])(\d*)/.exec(descr) ?? [];
  if (!Object.hasOwn(kinds, kind)) return printable(descr);
  return kinds[kind] + ("iufc".includes(kind) ? String(8 * Number(size)) : "");
}
