/** The GPU runtime alone. What a program imports is node.ts or web.ts, by the name `bark-webgpu/engine`. */
export { EngineError, type ErrorCode, type ErrorDetails } from "./errors.ts";
export { openGpu, stop, type Gpu, type GpuOptions } from "./gpu.ts";
export {
  defineKernel,
  optionalRead,
  read,
  readWrite,
  workgroupsOverXY,
  type Binding,
  type BindingDtype,
  type Bindings,
  type Kernel,
  type ParamTypes,
  type Workgroups,
} from "./kernel.ts";
export { NdArray } from "./ndarray.ts";
export type { Program } from "./program.ts";
export { Scope, type TensorMaker } from "./scope.ts";
export type { Dtype, HostArray } from "./dtypes.ts";
export type { Tensor } from "./tensor.ts";
