/** How a checkpoint describes one of its tensors. */
export interface TensorInfo {
  /** dtype as the file names it, such as `F32`; `Q8` for integers with scales (engine/formats/q8.ts). */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Name of the file that holds it, for errors. */
  readonly file: string;
}

/** The tensors of a checkpoint, whatever its format; read one by one, never the whole file. */
export interface TensorReader {
  names(): Iterable<string>;
  has(name: string): boolean;
  /** @throws EngineError `bad-input` if there is no such tensor. */
  info(name: string): TensorInfo;
  /** All values as f32, exactly where the dtype allows it. @throws EngineError `bad-input` for non-float dtypes. */
  readFloat32(name: string): Promise<Float32Array<ArrayBuffer>>;
  /** Rows `first`..`first + count - 1` of the first axis. */
  readRows(name: string, first: number, count: number): Promise<Float32Array<ArrayBuffer>>;
  /** The named rows of the first axis, in this order; only their bytes are read. */
  gatherRows(name: string, rows: readonly number[]): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}
