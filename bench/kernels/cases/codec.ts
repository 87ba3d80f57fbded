import { into } from "../../../engine/program/recorder.ts";
import type { Tensor } from "../../../engine/tensor.ts";
import { createCodebook, nearestEntries } from "../../../kernels/codebook/codebook.ts";
import { nearestReference } from "../../../kernels/codebook/reference.ts";
import {
  conv1d,
  createConv1d,
  type Conv1dOptions,
  type ConvShape,
  type Padding,
} from "../../../kernels/conv1d/conv1d.ts";
import { conv1dLab } from "../../../kernels/conv1d/lab/versions.ts";
import { conv1dReference } from "../../../kernels/conv1d/reference.ts";
import { conv1dVersions, type Conv1dVersion, type OwnConv1dVersion } from "../../../kernels/conv1d/versions.ts";
import { convTranspose1d, createConvTranspose1d } from "../../../kernels/conv_transpose1d/conv_transpose1d.ts";
import { convTranspose1dReference } from "../../../kernels/conv_transpose1d/reference.ts";
import { add } from "../../../kernels/elementwise/elementwise.ts";
import { addReference, eluReference } from "../../../kernels/elementwise/reference.ts";
import { createLstm, lstm, lstmChunk, type LstmWeights } from "../../../kernels/lstm/lstm.ts";
import { lstmReference } from "../../../kernels/lstm/reference.ts";
import { lstmVersions, type LstmVersion } from "../../../kernels/lstm/versions.ts";
import { noise } from "../../../kernels/self_test/noise.ts";
import { labNames, rungOf } from "./lab.ts";
import { poison, type KernelCase, type PreparedCase, type Scope } from "./case.ts";

/** Frames whose results are held against the reference, at each end. */
const checkedFrames = 4;

const convVersions = [...Object.keys(conv1dVersions), ...labNames(conv1dLab)];

function forced(version: string | undefined): Pick<Conv1dOptions, "version"> {
  return version === undefined ? {} : { version: rungOf<Conv1dVersion, OwnConv1dVersion>(conv1dLab, version) };
}

/** Reads a part of a result: of another engine's, or of ours. */
function readerOf(result: Float32Array | undefined, y: Tensor<"f32">) {
  return async (first: number, count: number): Promise<ArrayLike<number>> =>
    result?.subarray(first, first + count) ?? (await y.read(first, count));
}

/** A causal convolution as in EnCodec: reflect padding on the left, then ELU. */
export function convCase(shape: ConvShape, length: number): KernelCase {
  const { inChannels, outChannels, kernelSize } = shape;
  return {
    op: "conv1d",
    shape: `${inChannels}→${outChannels} k${kernelSize}, ${length} frames`,
    versions: convVersions,
    flops: 2 * length * inChannels * outChannels * kernelSize,
    bytes: (bytesOfWeight) =>
      bytesOfWeight * inChannels * outChannels * kernelSize + 4 * length * (inChannels + outChannels),
    prepare: (scope) => prepareConv(scope, shape, length),
  };
}

function prepareConv(scope: Scope, shape: ConvShape, length: number): PreparedCase {
  const { inChannels, outChannels, kernelSize } = shape;
  const x = noise(length * inChannels, 1);
  const weight = noise(outChannels * inChannels * kernelSize, 2, 0.3);
  const bias = noise(outChannels, 3);
  const conv = scope.own(createConv1d(scope.gpu, weight, shape, "bench", { bias, format: scope.format }));
  const input = scope.tensorFrom<"f32">("f32", x);
  const y = scope.tensor("f32", [length, outChannels]);
  const padding: Padding = { mode: "reflect", left: kernelSize - 1, right: 0 };
  return {
    copies: 1,
    record: (program, version) => conv1d(program, input, length, conv, y, { padding, elu: true, ...forced(version) }),
    reset: () => poison(y),
    check: async (result) => {
      const stored = scope.stored(weight);
      const read = readerOf(result, y);
      const head = x.subarray(0, (checkedFrames + kernelSize) * inChannels);
      const tail = x.subarray((length - checkedFrames - kernelSize + 1) * inChannels);
      const size = checkedFrames * outChannels;
      return [
        {
          actual: await read(0, size),
          expected: conv1dReference(head, stored, shape, { bias, padding, elu: true }).subarray(0, size),
        },
        {
          actual: await read((length - checkedFrames) * outChannels, size),
          expected: conv1dReference(tail, stored, shape, { bias, elu: true }),
        },
      ];
    },
    operation: () => ({ kind: "conv1d", ...shape, stride: 1, length, x, weight, bias }),
  };
}

/** An upsampling as in EnCodec: kernel twice the stride, trimmed on the right, then ELU. `length`: rows of the input. */
export function upsampleCase(inChannels: number, stride: number, length: number): KernelCase {
  const outChannels = inChannels / 2;
  return {
    op: "conv_transpose1d",
    shape: `${inChannels}→${outChannels} s${stride}, ${length} frames`,
    versions: convVersions,
    flops: 4 * length * stride * inChannels * outChannels,
    bytes: (bytesOfWeight) =>
      bytesOfWeight * inChannels * outChannels * 2 * stride + 4 * length * (inChannels + stride * outChannels),
    prepare: (scope) => prepareUpsample(scope, { inChannels, outChannels, kernelSize: 2 * stride, stride }, length),
  };
}

function prepareUpsample(scope: Scope, shape: ConvShape & { stride: number }, length: number): PreparedCase {
  const { inChannels, outChannels, kernelSize, stride } = shape;
  const x = noise(length * inChannels, 1);
  const weight = noise(inChannels * outChannels * kernelSize, 2, 0.3);
  const bias = noise(outChannels, 3);
  const conv = scope.own(createConvTranspose1d(scope.gpu, weight, shape, "bench", { bias, format: scope.format }));
  const input = scope.tensorFrom<"f32">("f32", x);
  const y = scope.tensor("f32", [length * stride, outChannels]);
  return {
    copies: 1,
    record: (program, version) =>
      convTranspose1d(program, input, length, conv, y, {
        trim: { left: 0, right: stride },
        elu: true,
        ...forced(version),
      }),
    reset: () => poison(y),
    check: async (result) => {
      const stored = scope.stored(weight);
      const read = readerOf(result, y);
      const rows = checkedFrames * stride * outChannels;
      const head = x.subarray(0, checkedFrames * inChannels);
      const tail = x.subarray((length - checkedFrames - 1) * inChannels);
      const trim = { left: 0, right: stride };
      return [
        {
          actual: await read(0, rows),
          expected: eluReference(convTranspose1dReference(head, stored, shape, bias, trim)),
        },
        {
          actual: await read((length - checkedFrames) * stride * outChannels, rows),
          // What comes before gets nothing from the frame before the tail.
          expected: eluReference(convTranspose1dReference(tail, stored, shape, bias, { ...trim, left: stride })),
        },
      ];
    },
    operation: () => ({ kind: "conv_transpose1d", ...shape, length, x, weight, bias }),
  };
}

/** Both layers of the codec's LSTM, the products of their inputs included. */
export function lstmCase(steps: number, hidden = 512): KernelCase {
  return {
    op: "lstm",
    shape: `2×${hidden}, ${steps} steps`,
    versions: Object.keys(lstmVersions),
    flops: 2 * 2 * 8 * steps * hidden * hidden,
    bytes: (bytesOfWeight) => 2 * 4 * (1 + steps) * hidden * hidden * bytesOfWeight + 4 * 2 * 5 * steps * hidden,
    prepare: (scope) => prepareLstm(scope, steps, hidden),
  };
}

function prepareLstm(scope: Scope, steps: number, hidden: number): PreparedCase {
  const x = noise(steps * hidden, 1);
  const weights = [0, 1].map((layer): LstmWeights & { weightIh: Float32Array<ArrayBuffer> } => ({
    weightIh: scope.stored(noise(4 * hidden * hidden, 10 * layer + 1, 0.06)),
    weightHh: scope.stored(noise(4 * hidden * hidden, 10 * layer + 2, 0.06)),
    biasIh: noise(4 * hidden, 10 * layer + 3, 0.1),
    biasHh: noise(4 * hidden, 10 * layer + 4, 0.1),
  }));
  const layers = scope.own(createLstm(scope.gpu, weights, hidden, "bench", scope.format));
  const input = scope.tensorFrom<"f32">("f32", x);
  const gates = [lstmChunk, lstmChunk].map((rows) => scope.tensor("f32", [rows, 4 * hidden]));
  const [h, c] = [scope.tensor("f32", [2, steps, hidden]), scope.tensor("f32", [2, hidden])];
  const buffers = { gates: [gates[0], gates[1]] as const, h, c };
  return {
    copies: 1,
    record: (program, version) =>
      lstm(into(program), input, steps, layers, buffers, version as LstmVersion | undefined),
    reset: () => poison(h),
    check: async () => {
      const checked = Math.min(steps, 24);
      const first = lstmReference(x.subarray(0, checked * hidden), weights[0], hidden);
      return [{ actual: await h.read(0, checked * hidden), expected: lstmReference(first, weights[1], hidden) }];
    },
  };
}

/** The residual around the LSTM, then ELU. In place, so a reset writes y again. */
export function elementwiseCase(frames: number, channels = 512): KernelCase {
  const size = frames * channels;
  return {
    op: "elementwise",
    shape: `add and ELU, ${frames} frames of ${channels}`,
    versions: ["elementwise"],
    flops: 0,
    bytes: () => 3 * 4 * size,
    prepare(scope) {
      const [x, before] = [noise(size, 1), noise(size, 2)];
      const [input, y] = [scope.tensorFrom<"f32">("f32", x), scope.tensor("f32", [size])];
      return {
        copies: 1,
        record: (program) => add(program, input, y, { elu: true }),
        reset: () => y.write(before),
        check: async () => [{ actual: await y.read(), expected: eluReference(addReference(x, before)) }],
      };
    },
  };
}

/** One stage of the encoder's residual quantizer, the product of its scores included. */
export function codebookCase(rows: number): KernelCase {
  const [size, width] = [1024, 128];
  return {
    op: "codebook",
    shape: `${size} entries of ${width}, ${rows} frames`,
    versions: ["nearest"],
    flops: 2 * rows * size * width,
    bytes: () => 4 * (size * width + 2 * rows * width + 2 * rows * size + rows),
    prepare(scope) {
      const [x, entries] = [noise(rows * width, 1), noise(size * width, 2)];
      const codebook = scope.own(createCodebook(scope.gpu, entries, size, width, "bench"));
      const [input, codes] = [scope.tensor("f32", [rows, width]), scope.tensor("u32", [rows])];
      const scores = scope.tensor("f32", [rows, size]);
      return {
        copies: 1,
        record: (program) => nearestEntries(program, input, rows, codebook, { scores, codes }),
        reset: () => input.write(x),
        check: async () => {
          const expected = nearestReference(x, entries, width);
          return [
            { actual: await codes.read(), expected: expected.codes, exact: true },
            { actual: await input.read(), expected: expected.residual },
          ];
        },
      };
    },
  };
}

/** The layers of the 24 kHz decoder for `frames` frames, those of equal shape once, and a stage of the encoder's quantizer. */
export function codecCases(frames: number): KernelCase[] {
  const cases = [convCase({ inChannels: 128, outChannels: 512, kernelSize: 7 }, frames), lstmCase(frames)];
  let [length, channels] = [frames, 512];
  for (const stride of [8, 5, 4, 2]) {
    cases.push(upsampleCase(channels, stride, length));
    [length, channels] = [length * stride, channels / 2];
    cases.push(convCase({ inChannels: channels, outChannels: channels / 2, kernelSize: 3 }, length));
    cases.push(convCase({ inChannels: channels, outChannels: channels, kernelSize: 1 }, length));
  }
  cases.push(convCase({ inChannels: 32, outChannels: 1, kernelSize: 7 }, length));
  cases.push(elementwiseCase(frames), codebookCase(frames));
  return cases;
}
