/** A dtype of torch: its name in safetensors and the bytes of an element. */
export interface TorchDtype {
  readonly name: string;
  readonly bytes: number;
}

/** By torch's name of the dtype, with the class of its storage where it has one of its own. */
const table: [dtype: string, storage: string | undefined, name: string, bytes: number][] = [
  ["float32", "FloatStorage", "F32", 4],
  ["float16", "HalfStorage", "F16", 2],
  ["bfloat16", "BFloat16Storage", "BF16", 2],
  ["float64", "DoubleStorage", "F64", 8],
  ["int64", "LongStorage", "I64", 8],
  ["int32", "IntStorage", "I32", 4],
  ["int16", "ShortStorage", "I16", 2],
  ["int8", "CharStorage", "I8", 1],
  ["uint8", "ByteStorage", "U8", 1],
  ["bool", "BoolStorage", "BOOL", 1],
  ["complex64", "ComplexFloatStorage", "C64", 8],
  ["complex128", "ComplexDoubleStorage", "C128", 16],
  ["uint16", undefined, "U16", 2],
  ["uint32", undefined, "U32", 4],
  ["uint64", undefined, "U64", 8],
  ["float8_e4m3fn", undefined, "F8_E4M3", 1],
  ["float8_e5m2", undefined, "F8_E5M2", 1],
];

/** By name, such as `float32`. */
export const dtypes: ReadonlyMap<string, TorchDtype> = new Map(
  table.map(([dtype, , name, bytes]) => [dtype, { name, bytes }]),
);

/** By class of storage, such as `FloatStorage`. */
export const storageDtypes: ReadonlyMap<string, TorchDtype> = new Map(
  table.flatMap(([dtype, storage]) => (storage === undefined ? [] : [[storage, dtypes.get(dtype)!]])),
);
