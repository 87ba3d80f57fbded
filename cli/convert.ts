import { convertCheckpoint, type Converted } from "../convert/convert_checkpoint.ts";
import { openWeights } from "../checkpoint/open_weights.ts";
import type { FileStore } from "../checkpoint/stores/file_store.ts";
import { BarkConfig } from "../bark/config/config.ts";
import { readConfig } from "../bark/config/read_config.ts";
import { checkGptTensors } from "../bark/load/expected_tensors.ts";
import { choiceFlag, parseCommandLine, requirePositionals } from "./command_line.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { openModel } from "./files/model_location.ts";
import { print, printJson } from "./process/print.ts";
import { ProgressLine } from "./process/progress.ts";

const flags = { dtype: { type: "string" }, json: { type: "boolean" }, quiet: { type: "boolean" } } as const;

/** `bark convert`: any checkpoint to a folder in Hugging Face layout with safetensors weights. */
export async function convert(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const { values, positionals } = parseCommandLine("convert", args, flags);
  requirePositionals("convert", positionals, 2, 2);
  const dtype = choiceFlag("dtype", values.dtype, ["f32", "f16", "q8"]);
  const [source, destination] = positionals;
  const began = performance.now();
  const progress = new ProgressLine();
  try {
    const { signal } = interrupt;
    const store = await openModel(source, signal, { quiet: values.quiet === true });
    await checkBark(store);
    const written = await convertCheckpoint(store, destination, {
      signal,
      ...(dtype === undefined ? {} : { dtype }),
      ...(values.quiet
        ? {}
        : {
            onNotice: progress.note,
            onProgress: (now) => progress.report({ stage: "convert", totalIsKnown: true, ...now }),
          }),
    });
    progress.end();
    const result = describe(destination, written, performance.now() - began);
    if (values.json) printJson(result);
    else print(summary(result));
  } finally {
    progress.end();
  }
  return 0;
}

/**
 * Refuses a Bark that lacks tensors, before gigabytes go to a folder that nobody can load. A sub-model or a codec alone is
 * converted as it is. @throws EngineError `bad-input` naming the tensor.
 */
async function checkBark(store: FileStore): Promise<void> {
  if ((await readConfig(store))["model_type"] !== "bark") return;
  const reader = await openWeights(store);
  try {
    checkGptTensors(reader, await BarkConfig.from_pretrained(store));
  } finally {
    await reader.close();
  }
}

/** The fields of `--json`. */
interface ConvertResult {
  output: string;
  /** Weight files. */
  files: string[];
  tensors: number;
  /** Of the weights. */
  bytes: number;
  milliseconds: number;
}

function describe(output: string, { files, tensors, bytes }: Converted, milliseconds: number): ConvertResult {
  return { output, files, tensors, bytes, milliseconds: Math.round(milliseconds) };
}

function summary({ output, files, tensors, bytes, milliseconds }: ConvertResult): string {
  const size = bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
  const where = files.length === 1 ? files[0] : `${files.length} files`;
  return `${output}: ${tensors} tensors, ${size} in ${where}, ${(milliseconds / 1000).toFixed(1)} s`;
}
