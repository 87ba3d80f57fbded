import { EngineError } from "../engine/errors.ts";
import { packHalves } from "../engine/formats/float16.ts";
import { q8BlocksOf, quantizeQ8 } from "../engine/formats/q8.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import { scaleName } from "./q8_reader.ts";
import type { WritableTensor } from "./safetensors/writer.ts";

type Values = Float32Array<ArrayBuffer>;

/** Formats to convert weights to. `Q8` is for the matrices that bear it; all others become `F16`. */
export type TargetDtype = "F32" | "F16" | "Q8";

const f32 = { dtype: "F32", bytes: 4, pack: (values: Values) => new Uint8Array(values.buffer) } as const;
const f16 = {
  dtype: "F16",
  bytes: 2,
  pack: (values: Values) => new Uint8Array(packHalves(values).buffer, 0, 2 * values.length),
} as const;
const bf16 = { dtype: "BF16", bytes: 2, pack: packBfloats } as const;

/** How a dtype is stored by default. */
const asStored = { F32: f32, F64: f32, F16: f16, BF16: bf16, Q8: "q8" } as const;
type Storage = (typeof asStored)[keyof typeof asStored];

/** Weights are floats or q8; other tensors of a file (masks, counters) are not stored again. */
export function isStorable(dtype: string): dtype is keyof typeof asStored {
  return Object.hasOwn(asStored, dtype);
}

/** Counts and sums of the codec's training, which may exceed the range of f16. Nothing reads them. */
const trainingState = /\.codebook\.(cluster_size|embed_avg|inited)$/;

/** Matrices of attention and MLP; embeddings, heads and codec do not bear 8 bits (silence, in other ports). */
const bearsQ8 =
  /^(semantic\.|coarse_acoustics\.|fine_acoustics\.)?layers\.\d+\.(attn\.(att|out)_proj|mlp\.(in|out)_proj)\.weight$/;

/** The first value that f16 turns into infinity. */
const firstBeyondF16 = 65520;

/** Values that are in memory at a time: 32 MB as f32. */
const blockValues = 1 << 23;

/**
 * A tensor of a checkpoint to be written as `wanted`, or as it is stored (F64 as F32), read in blocks of rows so that
 * large ones never are in memory whole. In q8 it is two: quants and scales.
 * @throws EngineError `bad-input`, also later by its parts, if it holds no floats, or values that the dtype cannot hold.
 */
export function storedTensor(reader: TensorReader, name: string, wanted?: TargetDtype): WritableTensor[] {
  const { dtype: found, shape, file } = reader.info(name);
  if (!isStorable(found))
    throw new EngineError("bad-input", "weights of this dtype cannot be converted", {
      where: `${file}: tensor ${name}`,
      expected: Object.keys(asStored).join(", "),
      actual: found,
    });
  const stored = asStored[found];
  const storage = wanted === undefined || trainingState.test(name) ? stored : storageFor(name, wanted);
  if (storage === "q8") return quantized(reader, name);
  const checkRange = stored !== f16 && storage === f16;
  return [
    {
      name,
      dtype: storage.dtype,
      shape,
      byteLength: sizeOf(shape) * storage.bytes,
      read: async function* () {
        for await (const values of readBlocks(reader, name)) {
          if (checkRange) requireF16(values, `${file}: tensor ${name}`);
          yield storage.pack(values);
        }
      },
    },
  ];
}

function storageFor(name: string, wanted: TargetDtype): Storage {
  if (wanted === "F32") return f32;
  return wanted === "Q8" && bearsQ8.test(name) ? "q8" : f16;
}

/** Quants and scales of a matrix. Each reads and quantises the matrix: keeping all scales would take more memory. */
function quantized(reader: TensorReader, name: string): WritableTensor[] {
  const { shape, file } = reader.info(name);
  const [rows, columns] = shape;
  const where = `${file}: tensor ${name}`;
  if (shape.length !== 2)
    throw new EngineError("bad-input", "is not a matrix", { where, actual: `shape [${shape.join(", ")}]` });
  const part = async function* (pick: "quants" | "scales"): AsyncGenerator<Uint8Array> {
    for await (const values of readBlocks(reader, name)) {
      const q8 = quantizeQ8(values, values.length / columns, columns);
      if (q8.scales.some(Number.isNaN))
        throw new EngineError("bad-input", "holds a value that is not finite, which q8 cannot hold", {
          where,
          fix: "convert with --dtype f32",
        });
      yield new Uint8Array(q8[pick].buffer);
    }
  };
  const blocks = q8BlocksOf(columns);
  return [
    { name, dtype: "I8", shape, byteLength: rows * columns, read: () => part("quants") },
    {
      name: scaleName(name),
      dtype: "F32",
      shape: [rows, blocks],
      byteLength: 4 * rows * blocks,
      read: () => part("scales"),
    },
  ];
}

/** The values of a tensor in order, as blocks of whole rows. */
export async function* readBlocks(reader: TensorReader, name: string): AsyncGenerator<Values> {
  const { shape } = reader.info(name);
  const count = sizeOf(shape);
  if (count === 0) return;
  if (shape.length === 0) {
    yield await reader.readFloat32(name);
    return;
  }
  const rows = Math.max(1, Math.floor((blockValues * shape[0]) / count));
  for (let first = 0; first < shape[0]; first += rows)
    yield await reader.readRows(name, first, Math.min(rows, shape[0] - first));
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Values read from bfloat16 have zeros in their lower halves. */
function packBfloats(values: Values): Uint8Array {
  const words = new Uint32Array(values.buffer);
  const halves = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) halves[i] = words[i] >>> 16;
  return new Uint8Array(halves.buffer);
}

function requireF16(values: Values, where: string): void {
  for (const value of values) {
    if (Math.abs(value) < firstBeyondF16 || !Number.isFinite(value)) continue;
    throw new EngineError("bad-input", "holds a value beyond the range of f16", {
      where,
      expected: `less than ${firstBeyondF16}`,
      actual: value,
      fix: "convert with --dtype f32",
    });
  }
}
