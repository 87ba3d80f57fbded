import { EngineError } from "../engine/errors.ts";
import { openGpu, type Gpu } from "../engine/gpu.ts";
import type { MatrixFormat } from "../engine/shader_source.ts";
import type { TensorReader } from "../engine/tensor_reader.ts";
import { checkVersions } from "../kernels/choose.ts";
import type { BarkProgress } from "./output.ts";
import type { CheckpointOptions, CheckpointSource } from "./store.ts";

export interface FromPretrainedOptions extends CheckpointOptions {
  /**
   * Format of the weights on the GPU; arithmetic and activations are f32 in any case. `q8`: the matrices of attention and
   * MLP as integers of 8 bits with a scale for every 32, tables, positions and heads as f16. Layer norms, biases and the
   * codec are f32 always. Default: as the checkpoint stores its matrices, bfloat16 as f32.
   */
  dtype?: MatrixFormat | "float32" | "float16";
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

/** The caller's device, or one of our own. @throws EngineError `no-adapter`, `usage` if kernels are forced that there are not. */
export async function gpuOf({ gpu, device, onNotice }: FromPretrainedOptions): Promise<Gpu> {
  const opened =
    gpu ??
    (await openGpu({ ...(device === undefined ? {} : { device }), ...(onNotice === undefined ? {} : { onNotice }) }));
  try {
    checkVersions(opened);
  } catch (error) {
    if (gpu === undefined) opened.dispose();
    throw error;
  }
  return opened;
}

const formats: Readonly<Record<NonNullable<FromPretrainedOptions["dtype"]>, MatrixFormat>> = {
  f32: "f32",
  float32: "f32",
  f16: "f16",
  float16: "f16",
  q8: "q8",
};

/**
 * What is wanted, or what the first attention matrix under `prefix` is stored as. bf16 keeps its range only in f32.
 * @throws EngineError `bad-input` if there is no such matrix, `usage` for a dtype that there is not.
 */
export function chooseFormat(
  reader: TensorReader,
  prefix: string,
  wanted: FromPretrainedOptions["dtype"],
): MatrixFormat {
  if (wanted === undefined) {
    const { dtype } = reader.info(`${prefix}layers.0.attn.att_proj.weight`);
    return dtype === "Q8" ? "q8" : dtype === "F16" ? "f16" : "f32";
  }
  if (Object.hasOwn(formats, wanted)) return formats[wanted];
  throw new EngineError("usage", "no such format of weights", {
    where: "dtype",
    expected: Object.keys(formats).join(", "),
    actual: wanted,
  });
}
