import { dtypes, storageDtypes, type TorchDtype } from "./dtypes.ts";
import { IgnoredObject, PickleGlobal } from "./pickle.ts";
import { TorchStorage, TorchTensor } from "./tensor.ts";

/** torch's own limit. */
const maxAxes = 64;

/** A class of storage, or a dtype, as a pickle names it. */
export class DtypeGlobal extends PickleGlobal {
  /** Undefined: a storage of plain bytes. */
  readonly dtype: TorchDtype | undefined;

  constructor(name: string, dtype: TorchDtype | undefined) {
    super(name);
    this.dtype = dtype;
  }
}

/** Makes a tensor of the arguments (storage, offset, size, stride, …). */
function rebuild([storage, offset, shape, strides]: readonly unknown[], given?: unknown): TorchTensor {
  if (!(storage instanceof TorchStorage)) throw new Error("makes a tensor without a storage");
  const dtype = given instanceof DtypeGlobal ? given.dtype : storage.dtype;
  if (dtype === undefined) throw new Error("makes a tensor without a dtype");
  if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length)
    throw new Error("makes a tensor whose offset, size or stride is wrong");
  return new TorchTensor(storage, dtype, offset, shape, strides);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= maxAxes && value.every(isCount);
}

function isTensor(value: unknown): TorchTensor {
  if (value instanceof TorchTensor) return value;
  throw new Error("makes a parameter of something that is not a tensor");
}

function orderedDict(args: readonly unknown[]): Map<unknown, unknown> {
  if (args.length > 0) throw new Error("makes a dictionary in an unknown way");
  return new Map();
}

/** torch.Size of a tuple. */
function size([extents]: readonly unknown[]): readonly number[] {
  if (!isCounts(extents)) throw new Error("makes a torch.Size of something other than a tuple of whole numbers");
  return extents;
}

const ignore = (): IgnoredObject => new IgnoredObject();

const functions: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  "collections.OrderedDict": orderedDict,
  "torch.Size": size,
  "torch._utils._rebuild_tensor": (args) => rebuild(args),
  "torch._utils._rebuild_tensor_v2": (args) => rebuild(args),
  // (storage, offset, size, stride, requires_grad, backward_hooks, dtype): dtypes without a class of storage.
  "torch._utils._rebuild_tensor_v3": (args) => rebuild(args, args[6]),
  "torch._utils._rebuild_parameter": ([data]) => isTensor(data),
  "torch._utils._rebuild_parameter_with_state": ([data]) => isTensor(data),
  // numpy scalars: suno's files hold their best_val_loss as one, which is why torch ≥ 2.6 refuses them.
  "numpy.core.multiarray.scalar": ignore,
  "numpy._core.multiarray.scalar": ignore,
  "numpy.dtype": ignore,
  "_codecs.encode": ignore,
};

/** All that the pickle of a checkpoint may name. */
export const torchGlobals: ReadonlyMap<string, PickleGlobal> = new Map(
  [
    ...Object.entries(functions).map(([name, call]) => new PickleGlobal(name, call)),
    ...Array.from(storageDtypes, ([name, dtype]) => new DtypeGlobal(`torch.${name}`, dtype)),
    ...Array.from(dtypes, ([name, dtype]) => new DtypeGlobal(`torch.${name}`, dtype)),
    new DtypeGlobal("torch.storage.UntypedStorage", undefined),
  ].map((global) => [global.name, global]),
);
