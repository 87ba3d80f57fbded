import type { ByteSource } from "../sources/byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import { unpackBfloats, unpackHalves } from "../../engine/formats/float16.ts";
import { gatherRows } from "../gather_rows.ts";
import { missingTensor } from "../safetensors/file.ts";
import type { TensorInfo, TensorReader } from "../../engine/weights/tensor_reader.ts";
import { type ZipEntry, ZipReader } from "../zip.ts";
import { DtypeGlobal, torchGlobals } from "./globals.ts";
import { readPickle } from "./pickle.ts";
import { gatherView, sizeOf, spanOf, TorchStorage, TorchTensor } from "./tensor.ts";

/** A Bark's is 0.1 MB; a training checkpoint's, with the optimizer's state, 0.4 MB. */
const maxPickleBytes = 64 * 2 ** 20;
const maxNameLength = 1000;
/** Room for views that repeat elements of their storage. */
const spareBytes = 2 ** 20;

const unpackers: Readonly<Record<string, (buffer: ArrayBuffer) => Float32Array<ArrayBuffer>>> = {
  F32: (buffer) => new Float32Array(buffer),
  F16: (buffer) => unpackHalves(new Uint16Array(buffer)),
  BF16: (buffer) => unpackBfloats(new Uint16Array(buffer)),
  F64: (buffer) => Float32Array.from(new Float64Array(buffer)),
};

/** Elements by their bits, by bytes of an element. */
const bitArrays = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const;

/**
 * A file that `torch.save` wrote (torch ≥ 1.6: a zip archive of a pickle and raw storages), read by range; nothing in
 * the pickle is executed. Its tensors are those of the state dict: the whole object, or its entry `model` or
 * `state_dict`.
 */
export class TorchFile implements TensorReader {
  readonly source: ByteSource;
  /** The saved object; dictionaries are Maps. */
  readonly root: unknown;
  readonly #zip: ZipReader;
  readonly #tensors: ReadonlyMap<string, TorchTensor>;
  readonly #dataOffsets = new Map<ZipEntry, number>();

  private constructor(zip: ZipReader, root: unknown, tensors: ReadonlyMap<string, TorchTensor>) {
    this.source = zip.source;
    this.root = root;
    this.#zip = zip;
    this.#tensors = tensors;
  }

  /** Reads and checks the pickle. A source that is refused is closed. @throws EngineError `bad-input`. */
  static async open(source: ByteSource): Promise<TorchFile> {
    try {
      await requireZip(source);
      const zip = await ZipReader.open(source);
      const root = await readRoot(zip);
      return new TorchFile(zip, root, stateDict(root, source));
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  names(): Iterable<string> {
    return this.#tensors.keys();
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  info(name: string): TensorInfo {
    const { dtype, shape } = this.#tensor(name);
    return { dtype: dtype.name, shape, file: this.source.name };
  }

  async readFloat32(name: string): Promise<Float32Array<ArrayBuffer>> {
    const { offset, shape } = this.#tensor(name);
    return await this.#read(name, offset, shape);
  }

  async readRows(name: string, first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const { offset, shape, strides } = this.#tensor(name);
    if (shape.length === 0 || first < 0 || first + count > shape[0])
      throw new EngineError("shape", `has no rows ${first} to ${first + count - 1}`, {
        where: `${this.source.name}: tensor ${name}`,
        actual: `shape [${shape.join(", ")}]`,
      });
    return await this.#read(name, offset + first * strides[0], [count, ...shape.slice(1)]);
  }

  async gatherRows(name: string, rows: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const width = sizeOf(this.#tensor(name).shape.slice(1));
    return await gatherRows(rows, width, (first, count) => this.readRows(name, first, count));
  }

  async close(): Promise<void> {
    await this.source.close();
  }

  #tensor(name: string): TorchTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw missingTensor(name, this.source.name);
    return tensor;
  }

  /** The view of `shape` that begins at element `offset`. */
  async #read(name: string, offset: number, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const { storage, dtype, strides, isContiguous } = this.#tensor(name);
    const unpack = unpackers[dtype.name];
    if (unpack === undefined)
      throw new EngineError("bad-input", "weights of this dtype cannot be used", {
        where: `${this.source.name}: tensor ${name}`,
        expected: Object.keys(unpackers).join(", "),
        actual: dtype.name,
      });
    const start = (await this.#dataOffset(storage.entry)) + offset * dtype.bytes;
    const bytes = await this.source.read(start, spanOf(shape, strides) * dtype.bytes);
    if (isContiguous) return unpack(bytes.buffer);
    const elements = new bitArrays[dtype.bytes as keyof typeof bitArrays](bytes.buffer);
    return unpack(gatherView(elements, shape, strides).buffer);
  }

  async #dataOffset(entry: ZipEntry): Promise<number> {
    const known = this.#dataOffsets.get(entry);
    if (known !== undefined) return known;
    const offset = await this.#zip.dataOffset(entry);
    this.#dataOffsets.set(entry, offset);
    return offset;
  }
}

async function requireZip(source: ByteSource): Promise<void> {
  const start = await source.read(0, Math.min(2, source.size));
  if (start[0] === 0x50 && start[1] === 0x4b) return; // "PK"
  const isPickle = start[0] === 0x80;
  throw new EngineError(
    "bad-input",
    isPickle ? "is a torch checkpoint from before version 1.6" : "is not a torch checkpoint",
    {
      where: source.name,
      expected: "a zip archive, as torch.save writes it",
      actual: isPickle ? "a bare pickle" : "something else",
      fix: isPickle ? "load and save it again with a newer torch" : "download or save it again",
    },
  );
}

async function readRoot(zip: ZipReader): Promise<unknown> {
  const { source } = zip;
  const pickles = Array.from(zip.entries.keys()).filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const fail = (message: string, expected: string, actual: string): EngineError =>
    new EngineError("bad-input", message, {
      where: source.name,
      expected,
      actual,
      fix: "download the checkpoint again, or save it again with torch.save",
    });
  if (pickles.length !== 1) throw fail("is not a torch checkpoint", "one data.pkl", `${pickles.length}`);
  const folder = pickles[0].slice(0, -"data.pkl".length);
  const order = zip.entries.get(`${folder}byteorder`);
  const byteOrder = order === undefined ? "little" : new TextDecoder().decode(await zip.read(order, 16));
  if (byteOrder !== "little") throw fail("has numbers of another byte order", "little", byteOrder);
  const pickle = await zip.read(zip.entries.get(pickles[0])!, maxPickleBytes);
  return readPickle(pickle, `${source.name}: data.pkl`, {
    globals: torchGlobals,
    persistentLoad: (id) => storageOf(zip, folder, id),
  });
}

/** The storage that a persistent id ("storage", class, key, location, count) names. */
function storageOf(zip: ZipReader, folder: string, id: unknown): TorchStorage {
  const [kind, type, key, , count] = Array.isArray(id) ? (id as unknown[]) : [];
  if (kind !== "storage" || !(type instanceof DtypeGlobal) || typeof key !== "string" || typeof count !== "number")
    throw new Error("names a storage in an unknown way");
  const entry = zip.entries.get(`${folder}data/${key}`);
  if (entry === undefined) throw new Error(`names storage ${key.slice(0, 20)}, which the archive does not hold`);
  if (entry.method !== 0 || entry.compressedSize !== entry.size)
    throw new Error(`names storage ${key}, which is compressed: save the checkpoint again with torch.save`);
  const bytes = count * (type.dtype?.bytes ?? 1);
  if (bytes !== entry.size) throw new Error(`names storage ${key} of ${bytes} bytes, which has ${entry.size}`);
  return new TorchStorage(entry, type.dtype);
}

/** Names from before `torch.compile`; without causal masks, which nothing reads. */
function stateDict(root: unknown, source: ByteSource): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  let bytes = 0;
  for (const [key, value] of stateEntries(root)) {
    if (typeof key !== "string" || !(value instanceof TorchTensor)) continue;
    if (key.length > maxNameLength)
      throw new EngineError("bad-input", "has a name of a tensor that is too long", {
        where: source.name,
        expected: `at most ${maxNameLength} characters`,
        actual: key.length,
      });
    const name = key.replaceAll(/(^|\.)_orig_mod\./g, "$1");
    if (name.endsWith(".attn.bias")) continue;
    if (tensors.has(name)) throw new EngineError("bad-input", `holds tensor ${name} twice`, { where: source.name });
    tensors.set(name, value);
    bytes += sizeOf(value.shape) * value.dtype.bytes;
  }
  if (tensors.size === 0)
    throw new EngineError("bad-input", "holds no tensors", {
      where: source.name,
      expected: "a state dict, alone or under model or state_dict",
      actual: root instanceof Map ? "a dictionary without tensors" : "no dictionary",
    });
  // Twice: tensors that share a storage, as tied heads do, count each.
  if (bytes > 2 * source.size + spareBytes)
    throw new EngineError("bad-input", "has tensors far larger than the file", {
      where: source.name,
      expected: `at most ${2 * source.size + spareBytes} bytes`,
      actual: `${bytes} bytes`,
    });
  return tensors;
}

function stateEntries(root: unknown): Iterable<[unknown, unknown]> {
  if (!(root instanceof Map)) return [];
  for (const key of ["model", "state_dict"]) {
    const inner: unknown = root.get(key);
    if (inner instanceof Map) return inner as Map<unknown, unknown>;
  }
  return root as Map<unknown, unknown>;
}
