/**
 * Element types on the GPU. `f16` is packed two to a u32, low half first, and read with `unpack2x16float`. `q8` is a
 * matrix in blocks of 32 by 4 values: four scales (f32), then 32 words of four integers of 8 bits.
 */
export type Dtype = "f32" | "f16" | "q8" | "u32" | "i32";

export type HostArray = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** The host array of each element type. */
export const hostArrays = {
  f32: Float32Array,
  f16: Uint32Array,
  q8: Uint32Array,
  u32: Uint32Array,
  i32: Int32Array,
} as const;

/** Bytes a tensor of `elements` values takes; WebGPU cannot bind an empty buffer, so at least 4. */
export function tensorBytes(dtype: Dtype, elements: number): number {
  const words = { f16: Math.ceil(elements / 2), q8: (elements / 128) * 36 };
  return Math.max(4 * (dtype === "f16" || dtype === "q8" ? words[dtype] : elements), 4);
}

/** Formats a `weight` binding can have on the GPU. */
export type WeightFormat = Extract<Dtype, "f32" | "f16">;
/** Formats a `matrix` binding can have on the GPU. */
export type MatrixFormat = WeightFormat | "q8";
