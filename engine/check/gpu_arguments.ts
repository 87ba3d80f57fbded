import {
  argumentsOf,
  isPlainObject,
  noneOr,
  reader,
  readFunction,
  readOneOf,
  readString,
  wrongArgument,
  type Reader,
  type ReadersOf,
} from "./arguments.ts";
import type { AdapterRequest, ForcedVersions } from "../device/host.ts";

export interface GpuOptions extends AdapterRequest {
  /** Called with one line for the user, such as that a software adapter stands in for a missing driver. */
  onNotice?: (line: string) => void;
  /** For which kind of adapter to choose the versions of kernels, for tests and benches. Default: for this one. */
  kernels?: "software" | "gpu" | undefined;
  /**
   * Forces versions of ops by name, such as `{ gemv: "gemv_split" }`: kernels/choose.ts lists the names. Default: those of
   * the host (`BARK_KERNELS` in Node).
   */
  versions?: ForcedVersions | undefined;
}

/** Part of an adapter's name or `"software"`; undefined for the best GPU, which transformers.js calls `"webgpu"`. */
export const readDevice: Reader<string | undefined> = noneOr((value, name) => {
  const device = readString(value, name);
  if (["auto", "gpu", "webgpu"].includes(device)) return undefined;
  if (!["cpu", "wasm"].includes(device)) return device;
  throw wrongArgument(
    name,
    '"auto", "software" or part of an adapter\'s name',
    value,
    'give "software" for the processor',
  );
});

/** Arguments of `openGpu`. @throws EngineError `usage`. */
export const readGpuOptions = argumentsOf("openGpu", {
  device: readDevice,
  onNotice: readFunction<(line: string) => void>(),
  kernels: noneOr(readOneOf("software", "gpu")),
  versions: noneOr(reader<ForcedVersions>("names of versions by op", isVersions)),
} satisfies ReadersOf<GpuOptions>);

function isVersions(value: unknown): boolean {
  return isPlainObject(value) && Object.values(value).every((name) => typeof name === "string");
}
