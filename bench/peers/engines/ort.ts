import { existsSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import path from "node:path";
import type { Prepare } from "../contender.ts";
import { onnxInputShape, onnxModel, type AttentionForm } from "./onnx_models.ts";
import { tensorsOf, valuesOf, type Work } from "../../measure/work.ts";

/** What is used of onnxruntime's API. */
export interface Ort {
  readonly InferenceSession: {
    create(file: string, options: object): Promise<OrtSession>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, shape: readonly number[]) => unknown;
}
interface OrtSession {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: Float32Array }>>;
}

/** The file of a work's ONNX model, written unless it is there. */
export async function onnxFile(work: Work, folder: string, attention: AttentionForm): Promise<string> {
  const name = work.kind === "gpt" ? `${work.name}-${work.layers}-${attention}` : work.name;
  const file = path.join(folder, "data", `${name}.onnx`);
  if (existsSync(file)) return file;
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  const handle = await open(temporary, "w");
  try {
    for (const chunk of onnxModel(work, attention)) await handle.writeFile(chunk);
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  return file;
}

/** onnxruntime-node by its processor or its WebGPU provider, which falls back to the processor for what it lacks. */
export function prepareOrt(provider: "cpu" | "webgpu", attention: AttentionForm): Prepare {
  return async (work, folder) => {
    const ort = createRequire(path.join(folder, "package.json"))("onnxruntime-node") as Ort;
    const session = await ort.InferenceSession.create(await onnxFile(work, folder, attention), {
      executionProviders: [provider],
      intraOpNumThreads: cpus().length,
      logSeverityLevel: 3,
    });
    const values = valuesOf(tensorsOf(work)["x"]);
    const run = async (): Promise<Float32Array> => {
      const x = new ort.Tensor("float32", values, onnxInputShape(work));
      return (await session.run({ x }))[session.outputNames[0]].data;
    };
    return { device: provider === "cpu" ? "processor" : "its choice", run };
  };
}
