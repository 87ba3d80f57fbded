import type { HubEvent } from "../../checkpoint/hub/options.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { BarkProgress } from "../generate/output.ts";

/** What transformers.js gives to a `progress_callback`. */
export type ProgressInfo = HubEvent | { status: "ready"; task: "text-to-speech"; model: string };

/** How a checkpoint on the hub is fetched; local folders and URLs ignore it, but for `subfolder`. Names as in transformers. */
export interface CheckpointOptions {
  /** A branch, a tag or a commit. Default: `main`. */
  revision?: string | null;
  /** The folder of all cached repositories, in a page the name of the cache. Default: as in Python's huggingface_hub. */
  cache_dir?: string | null;
  /** The folder of the checkpoint in the repository, the folder or the store that the first argument names. */
  subfolder?: string | null;
  /** Fetch every file anew, also one that is in the cache. Default: false. */
  force_download?: boolean | null;
  /** Take only what is in the cache. Default: false, or what HF_HUB_OFFLINE says. */
  local_files_only?: boolean | null;
  /** For private and gated repositories; false sends none. Default, and true: HF_TOKEN, or what `hf auth login` left. */
  token?: string | boolean | null;
  /** Address of the hub. Default: HF_ENDPOINT, or https://huggingface.co. */
  endpoint?: string | null;
  /** Gets the progress of each file. */
  progress_callback?: ((info: ProgressInfo) => void) | null;
  /** Called with one line for the user, such as that the hub cannot be reached or a software adapter stands in. */
  onNotice?: ((line: string) => void) | null;
  /** Stops loading; what has been downloaded is kept. */
  signal?: AbortSignal | null;
}

/** Formats of weights, by the names of transformers and of transformers.js, too. */
export type DtypeName = MatrixFormat | "fp32" | "float32" | "fp16" | "float16" | "bf16" | "bfloat16" | "auto";

export interface FromPretrainedOptions extends CheckpointOptions {
  /**
   * Format of the weights on the GPU; arithmetic and activations are f32 in any case. `q8`: the matrices of attention and
   * MLP as integers of 8 bits with a scale for every 32, tables, positions and heads as f16. Layer norms, biases and the
   * codec are f32 always. `bfloat16`: every weight rounded to it and held as f32. Default, and `"auto"`: as the checkpoint
   * stores its matrices, bfloat16 as f32.
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
