import { EngineError } from "../engine/errors.ts";
import { packHalves } from "../engine/float16.ts";
import type { TensorReader } from "../engine/tensor_reader.ts";
import type { WritableTensor } from "./safetensors_writer.ts";

type Values = Float32Array<ArrayBuffer>;

const f32 = { dtype: "F32", bytes: 4, pack: (values: Values) => new Uint8Array(values.buffer) } as const;
const f16 = {
  dtype: "F16",
  bytes: 2,
  pack: (values: Values) => new Uint8Array(packHalves(values).buffer, 0, 2 * values.length),
} as const;
const bf16 = { dtype: "BF16", bytes: 2, pack: packBfloats } as const;

/** How a dtype is stored if nothing else is asked for. */
const asStored = { F32: f32, F64: f32, F16: f16, BF16: bf16 } as const;

/** Counts and sums of the codec's training, which may exceed the range of f16. No one reads them. */
const trainingState = /\.codebook\.(cluster_size|embed_avg|inited)$/;

/** Beyond it f16 has only infinity. */
const firstBeyondF16 = 65520;

/** Values that are in memory at a time: 32 MB as f32. */
const blockValues = 1 << 23;

/**
 * A tensor of a checkpoint to be written as `wanted`, or as it is stored (F64 as F32), read in blocks of rows so that
 * large ones never are in memory whole.
 * @throws EngineError `bad-input`, also later by its parts, if it holds no floats or values beyond the range of f16.
 */
export function storedTensor(reader: TensorReader, name: string, wanted?: "F32" | "F16"): WritableTensor {
  const { dtype: found, shape, file } = reader.info(name);
  if (!Object.hasOwn(asStored, found))
    throw new EngineError("bad-input", "weights of this dtype cannot be converted", {
      where: `${file}: tensor ${name}`,
      expected: Object.keys(asStored).join(", "),
      actual: found,
    });
  const stored = asStored[found as keyof typeof asStored];
  const { dtype, bytes, pack } =
    wanted === undefined || trainingState.test(name) ? stored : wanted === "F16" ? f16 : f32;
  const checkRange = stored !== f16 && dtype === "F16";
  return {
    name,
    dtype,
    shape,
    byteLength: shape.reduce((product, extent) => product * extent, bytes as number),
    read: async function* () {
      for await (const values of readBlocks(reader, name)) {
        if (checkRange) requireF16(values, `${file}: tensor ${name}`);
        yield pack(values);
      }
    },
  };
}

/** The values of a tensor in order, as blocks of whole rows. */
export async function* readBlocks(reader: TensorReader, name: string): AsyncGenerator<Values> {
  const { shape } = reader.info(name);
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (count === 0) return;
  if (shape.length === 0) {
    yield await reader.readFloat32(name);
    return;
  }
  const rows = Math.max(1, Math.floor((blockValues * shape[0]) / count));
  for (let first = 0; first < shape[0]; first += rows)
    yield await reader.readRows(name, first, Math.min(rows, shape[0] - first));
}

/** Values that were read as bfloat16 have nothing in their lower halves. */
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
