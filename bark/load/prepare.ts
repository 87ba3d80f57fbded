import { openWeights } from "../../checkpoint/open_weights.ts";
import { RoundedReader } from "../../checkpoint/rounded_reader.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import { openGpu, type Gpu } from "../../engine/gpu.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import { checkVersions } from "../../kernels/choose.ts";
import type { LoadArguments, WeightDtype } from "./load_arguments.ts";
import { nameOf, type CheckpointSource } from "./open_checkpoint.ts";

/** What of the arguments is about the device. */
export type DeviceArguments = Pick<LoadArguments, "gpu" | "device" | "onNotice" | "recover">;

/** The weights of a checkpoint. bfloat16 is a rounding of them: no kernel reads it. @throws EngineError `bad-input`. */
export async function openStored(store: FileStore, dtype: WeightDtype | undefined): Promise<TensorReader> {
  const weights = await openWeights(store);
  return dtype === "bf16" ? new RoundedReader(weights, "BF16") : weights;
}

/** Sends the last event of loading: the model can be used. */
export function reportReady(source: CheckpointSource, { progress_callback }: LoadArguments): void {
  const model = nameOf(source);
  progress_callback?.({ status: "ready", task: "text-to-speech", model });
}

/** The caller's device, or one of our own. @throws EngineError `no-adapter`, `usage` if a forced version of a kernel does not exist. */
export async function gpuOf({ gpu, device, onNotice }: DeviceArguments): Promise<Gpu> {
  const opened = gpu ?? (await openGpu({ device, onNotice }));
  try {
    checkVersions(opened);
  } catch (error) {
    if (gpu === undefined) opened.dispose();
    throw error;
  }
  return opened;
}

/** The requested format, else that of the first attention matrix under `prefix`. bf16 keeps its range only in f32. */
export function chooseFormat(reader: TensorReader, prefix: string, wanted: WeightDtype | undefined): MatrixFormat {
  if (wanted !== undefined) return wanted === "bf16" ? "f32" : wanted;
  const { dtype } = reader.info(`${prefix}layers.0.attn.att_proj.weight`);
  return dtype === "Q8" ? "q8" : dtype === "F16" ? "f16" : "f32";
}
