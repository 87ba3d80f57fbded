import type { SafetensorsDtype } from "./header.ts";

/** A tensor to write. Its bytes are read at its turn, so that no two tensors are in memory at a time. */
export interface WritableTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Bytes that {@link read} gives. */
  readonly byteLength: number;
  /** Values in row-major order, little-endian; a large tensor may come in parts. */
  readonly read: () => Promise<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * The parts of a safetensors file, in order. Tensors of large elements come first, as from the reference implementation,
 * which keeps every tensor aligned to its elements: loaders that map the file need that.
 * @param metadata transformers wants `format: "pt"`.
 */
export async function* writeSafetensors(
  tensors: readonly WritableTensor[],
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): AsyncGenerator<Uint8Array> {
  const sorted = [...tensors].sort((a, b) => elementBytes(b) - elementBytes(a) || (a.name < b.name ? -1 : 1));
  yield header(sorted, metadata);
  for (const tensor of sorted) {
    const content = tensor.read();
    if (content instanceof Promise) yield await content;
    else yield* content;
  }
}

function header(tensors: readonly WritableTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries: [string, object][] = [["__metadata__", metadata]];
  let end = 0;
  for (const { name, dtype, shape, byteLength } of tensors) {
    const begin = end;
    end += byteLength;
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  // Spaces after the JSON let the data begin at a multiple of eight.
  const bytes = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(text, 8);
  return bytes;
}

function elementBytes({ shape, byteLength }: WritableTensor): number {
  return (
    byteLength /
    Math.max(
      1,
      shape.reduce((product, extent) => product * extent, 1),
    )
  );
}
