import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Prepare } from "../contender.ts";

interface Contender {
  /** Name in the table. */
  readonly label: string;
  /** Loads the module that knows the engine. */
  readonly load: () => Promise<Prepare>;
  readonly version: (folder: string) => Promise<string>;
}

const versionOf = (name: string) => async (folder: string) => {
  const file = path.join(folder, "node_modules", name, "package.json");
  return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
};

const ownVersion = async (): Promise<string> => {
  const file = new URL("../../../package.json", import.meta.url);
  return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
};

/** Engines that run in a process of Node (one of them through a browser). */
export const contenders = {
  ours: { label: "bark-webgpu", load: async () => (await import("./ours.ts")).prepareOurs, version: ownVersion },
  floor: { label: "bare matvecs", load: async () => (await import("./floor.ts")).prepareFloor, version: ownVersion },
  "ort-webgpu": {
    label: "onnxruntime-node WebGPU",
    load: async () => (await import("./ort.ts")).prepareOrt("webgpu", "fused"),
    version: versionOf("onnxruntime-node"),
  },
  "ort-webgpu-plain": {
    label: "onnxruntime-node WebGPU, plain ops",
    load: async () => (await import("./ort.ts")).prepareOrt("webgpu", "plain"),
    version: versionOf("onnxruntime-node"),
  },
  "ort-cpu": {
    label: "onnxruntime-node CPU",
    load: async () => (await import("./ort.ts")).prepareOrt("cpu", "fused"),
    version: versionOf("onnxruntime-node"),
  },
  "ort-web": {
    label: "onnxruntime-web WebGPU",
    load: async () => (await import("./ort_web.ts")).prepareOrtWeb,
    version: versionOf("onnxruntime-web"),
  },
  "jax-js": {
    label: "jax-js WebGPU",
    load: async () => (await import("./jaxjs.ts")).prepareJax,
    version: versionOf("@jax-js/jax"),
  },
  tfjs: {
    label: "tfjs WebGPU",
    load: async () => (await import("./tfjs.ts")).prepareTfjs,
    version: versionOf("@tensorflow/tfjs-backend-webgpu"),
  },
} satisfies Record<string, Contender>;

export type ContenderName = keyof typeof contenders;
