/** The GPU runtime alone. What a program imports is node.ts or web.ts, by the name `bark-webgpu/engine`. */
export { EngineError, type ErrorCode, type ErrorDetails } from "./errors.ts";
export { openGpu, stop, type Gpu, type GpuOptions } from "./gpu.ts";
export {
  defineKernel,
  optionalRead,
  read,
  readWrite,
  workgroupsOverXY,
  type Access,
  type Binding,
  type BindingDtype,
  type Bindings,
  type Constants,
  type Kernel,
  type KernelDeclaration,
  type ParamsOf,
  type ParamType,
  type ParamTypes,
  type TensorsOf,
  type Workgroups,
} from "./kernel.ts";
export { NdArray } from "./ndarray.ts";
export type { Program } from "./program/program.ts";
export { Scope, type TensorMaker } from "./scope.ts";
export type { Device, GpuCounters, KernelNeeds } from "./device/device.ts";
export type { SubgroupMatrixConfig, SubgroupMatrixNeeds } from "./device/subgroup_matrix.ts";
export type { Dtype, HostArray, MatrixFormat } from "./dtypes.ts";
export type { Runtime } from "./device/host.ts";
export type { Tensor } from "./tensor.ts";
