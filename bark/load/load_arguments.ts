import {
  argumentsOf,
  noneOr,
  readBoolean,
  reader,
  readFunction,
  readSignal,
  readString,
  wrongArgument,
  type Reader,
  type ReadersOf,
  type Unsupported,
} from "../../engine/check/arguments.ts";
import { Gpu } from "../../engine/gpu.ts";
import { readDevice } from "../../engine/check/gpu_arguments.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import type {
  BarkFromPretrainedOptions,
  CheckpointOptions,
  DtypeName,
  FromPretrainedOptions,
  ProgressInfo,
} from "./load_options.ts";
import type { BarkProgress } from "../generate/output.ts";

// What the `from_pretrained` of all classes take: the options of transformers and transformers.js that mean something here.

/** How weights are held on the GPU; `bf16`: rounded to bfloat16, held in f32. */
export type WeightDtype = MatrixFormat | "bf16";

const formats: Readonly<Record<DtypeName, WeightDtype | undefined>> = {
  f32: "f32",
  fp32: "f32",
  float32: "f32",
  f16: "f16",
  fp16: "f16",
  float16: "f16",
  bf16: "bf16",
  bfloat16: "bf16",
  q8: "q8",
  auto: undefined,
};

export const readDtype: Reader<WeightDtype | undefined> = noneOr((value, name) => {
  if (typeof value === "string" && Object.hasOwn(formats, value)) return formats[value as DtypeName];
  throw wrongArgument(name, Object.keys(formats).join(", "), value);
});

// true means "the stored token", which is the default anyway.
export const readToken: Reader<string | false | undefined> = noneOr((value, name) =>
  value === true ? undefined : value === false ? value : readString(value, name),
);

export const checkpointReaders = {
  revision: noneOr(readString),
  cache_dir: noneOr(readString),
  // An empty one is the top, as in transformers.
  subfolder: (value, name) => (value === null || value === "" ? undefined : readString(value, name)),
  force_download: noneOr(readBoolean),
  local_files_only: noneOr(readBoolean),
  token: readToken,
  endpoint: noneOr(readString),
  progress_callback: readFunction<(info: ProgressInfo) => void>(),
  onNotice: readFunction<(line: string) => void>(),
  signal: readSignal,
} satisfies ReadersOf<CheckpointOptions>;

/** Of `from_config`, too. */
export const deviceReaders = {
  dtype: readDtype,
  gpu: noneOr(reader<Gpu>("what openGpu answers", (value) => value instanceof Gpu)),
  device: readDevice,
  on_progress: readFunction<(progress: BarkProgress) => void>(),
  recover: noneOr(readBoolean),
};

const modelReaders = { ...checkpointReaders, ...deviceReaders } satisfies ReadersOf<
  Omit<FromPretrainedOptions, "torch_dtype">
>;

export const barkReaders = { ...modelReaders, low_memory: noneOr(readBoolean) } satisfies ReadersOf<
  Omit<BarkFromPretrainedOptions, "torch_dtype">
>;

const off = [false, null] as const;
const none = [null] as const;
const either = [true, false, null] as const;
const q8 = 'give dtype: "q8" for weights of 8 bits';

const unsupported: Unsupported = {
  // of transformers
  adapter_kwargs: [none],
  attn_implementation: [["eager", null], "leave it out: the kernels of attention are chosen by the device"],
  code_revision: [["main", null]],
  config: [none],
  device_map: [["auto", null], "give device"],
  from_flax: [off],
  from_tf: [off],
  ignore_mismatched_sizes: [off],
  key_mapping: [none],
  load_in_4bit: [off, q8],
  load_in_8bit: [off, q8],
  low_cpu_mem_usage: [either],
  max_memory: [none],
  mirror: [none],
  offload_folder: [none, "give low_memory: true"],
  offload_state_dict: [off],
  output_loading_info: [off],
  proxies: [none, "set HTTPS_PROXY where the runtime heeds it"],
  quantization_config: [none, q8],
  resume_download: [either],
  return_unused_kwargs: [off],
  state_dict: [none],
  tp_plan: [none],
  trust_remote_code: [either],
  use_fast: [[true, null]],
  use_kernels: [off],
  use_safetensors: [[true, null]],
  variant: [none],
  weights_only: [[true, null]],
  // of transformers.js
  model_file_name: [none],
  quantized: [off, q8],
  session_options: [none],
  use_external_data_format: [off],
};

export const checkpointRules = { unsupported, aliases: { use_auth_token: "token" } };
export const modelRules = { unsupported, aliases: { ...checkpointRules.aliases, torch_dtype: "dtype" } };

/** Options of a class's `from_pretrained` that are about a checkpoint. @throws EngineError `usage`. */
export const readCheckpointOptions = argumentsOf("from_pretrained", checkpointReaders, checkpointRules);
/** Options of a sub-model's `from_pretrained`. @throws EngineError `usage`. */
export const readModelOptions = argumentsOf("from_pretrained", modelReaders, modelRules);
/** Options of `BarkModel.from_pretrained`. @throws EngineError `usage`. */
export const readBarkOptions = argumentsOf("from_pretrained", barkReaders, modelRules);

export type CheckpointArguments = ReturnType<typeof readCheckpointOptions>;
export type LoadArguments = ReturnType<typeof readModelOptions>;
export type BarkLoadArguments = ReturnType<typeof readBarkOptions>;
