import { openGpu, type Gpu } from "../../engine/gpu.ts";
import type { MatrixFormat } from "../../engine/shaders/shader_source.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import { checkVersions } from "../../kernels/choose.ts";
import type { LoadArguments } from "./load_arguments.ts";
import type { BarkProgress } from "../generate/output.ts";
import { nameOf, type CheckpointOptions, type CheckpointSource } from "./open_checkpoint.ts";

/** Formats of weights, by the names of transformers and of transformers.js, too. */
export type DtypeName = MatrixFormat | "fp32" | "float32" | "fp16" | "float16" | "auto";

export interface FromPretrainedOptions extends CheckpointOptions {
  /**
   * Format of the weights on the GPU; arithmetic and activations are f32 in any case. `q8`: the matrices of attention and
   * MLP as integers of 8 bits with a scale for every 32, tables, positions and heads as f16. Layer norms, biases and the
   * codec are f32 always. Default, and `"auto"`: as the checkpoint stores its matrices, bfloat16 as f32.
   */
  dtype?: DtypeName | null;
  /** Another name of `dtype`. */
  torch_dtype?: DtypeName | null;
  /** A device that is open already; it is not closed by the model's `dispose`. */
  gpu?: Gpu | null;
  /** Part of an adapter's name, or `"software"`. Default: the best GPU, as `"auto"`, `"gpu"` and `"webgpu"`. */
  device?: string | null;
  on_progress?: ((progress: BarkProgress) => void) | null;
  /**
   * Open a device that was lost anew, once a call, read the weights again and repeat the stage: the same answer, with one
   * notice. For a device that the model opened itself. Default: false.
   */
  recover?: boolean | null;
}

export interface BarkFromPretrainedOptions extends FromPretrainedOptions {
  /**
   * Keep one sub-model on the GPU at a time, as after {@link BarkModel.enable_cpu_offload}; none is loaded before a call
   * needs it.
   */
  low_memory?: boolean | null;
}

/** Says that a model can be used, as the last of the events of loading it. */
export function reportReady(source: CheckpointSource, { progress_callback }: LoadArguments): void {
  const model = nameOf(source);
  progress_callback?.({ status: "ready", task: "text-to-speech", model });
}

/** The caller's device, or one of our own. @throws EngineError `no-adapter`, `usage` if kernels are forced that there are not. */
export async function gpuOf({ gpu, device, onNotice }: LoadArguments): Promise<Gpu> {
  const opened = gpu ?? (await openGpu({ device, onNotice }));
  try {
    checkVersions(opened);
  } catch (error) {
    if (gpu === undefined) opened.dispose();
    throw error;
  }
  return opened;
}

/** What is wanted, or what the first attention matrix under `prefix` is stored as. bf16 keeps its range only in f32. */
export function chooseFormat(reader: TensorReader, prefix: string, wanted: MatrixFormat | undefined): MatrixFormat {
  if (wanted !== undefined) return wanted;
  const { dtype } = reader.info(`${prefix}layers.0.attn.att_proj.weight`);
  return dtype === "Q8" ? "q8" : dtype === "F16" ? "f16" : "f32";
}
