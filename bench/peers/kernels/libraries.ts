import type { Jax } from "../engines/jaxjs.ts";
import type { Tf } from "../engines/tfjs.ts";

/** What other engines need of the runtime: an adapter, and their own modules. */
export interface Libraries {
  readonly openAdapter: () => Promise<GPUAdapter>;
  readonly ort: () => Promise<Ort>;
  readonly jax: () => Promise<Jax>;
  /** With its backends, for which there has to be a `navigator.gpu`. */
  readonly tf: () => Promise<Tf>;
}

/** What is used of onnxruntime-web. */
export interface Ort {
  readonly env: { readonly wasm: { wasmPaths?: string; wasmBinary?: ArrayBufferLike; numThreads?: number } };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  readonly Tensor: new (
    type: "float32" | "int32",
    data: Float32Array | Int32Array,
    shape: readonly number[],
  ) => unknown;
}
export interface OrtSession {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}
export interface OrtTensor {
  getData(): Promise<Float32Array>;
  dispose(): void;
}
