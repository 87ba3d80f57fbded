import { openGpu, type Gpu } from "../engine/gpu.ts";
import type { WeightFormat } from "../engine/shader_source.ts";
import type { TensorReader } from "../engine/tensor_reader.ts";
import type { BarkProgress } from "./output.ts";
import type { CheckpointOptions, CheckpointSource } from "./store.ts";

export interface FromPretrainedOptions extends CheckpointOptions {
  /** Format of the weights on the GPU. Default: f16 if the checkpoint stores f16, else f32. */
  dtype?: "f32" | "f16" | "float32" | "float16";
  /** A device that is open already; it is not closed by the model's `dispose`. */
  gpu?: Gpu;
  /** Part of an adapter's name, or `"software"`. */
  device?: string;
  on_progress?: (progress: BarkProgress) => void;
}

export interface BarkFromPretrainedOptions extends FromPretrainedOptions {
  /**
   * Keep one sub-model on the GPU at a time, as after {@link BarkModel.enable_cpu_offload}; none is loaded before a call
   * needs it.
   */
  low_memory?: boolean;
}

/** Says that a model can be used, as the last of the events of loading it. */
export function reportReady(source: CheckpointSource, { progress_callback }: FromPretrainedOptions): void {
  const model = typeof source === "string" ? source : source.name;
  progress_callback?.({ status: "ready", task: "text-to-speech", model });
}

/** The caller's device, or one of our own. @throws EngineError `no-adapter`. */
export async function gpuOf({ gpu, device, onNotice }: FromPretrainedOptions): Promise<Gpu> {
  return (
    gpu ??
    (await openGpu({ ...(device === undefined ? {} : { device }), ...(onNotice === undefined ? {} : { onNotice }) }))
  );
}

/**
 * "As stored": f16 if the first attention matrix under `prefix` is, else f32 (bf16 keeps its range only in f32).
 * @throws EngineError `bad-input` if there is no such matrix.
 */
export function chooseFormat(
  reader: TensorReader,
  prefix: string,
  wanted: FromPretrainedOptions["dtype"],
): WeightFormat {
  if (wanted !== undefined) return wanted === "f16" || wanted === "float16" ? "f16" : "f32";
  return reader.info(`${prefix}layers.0.attn.att_proj.weight`).dtype === "F16" ? "f16" : "f32";
}
