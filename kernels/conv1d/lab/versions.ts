import { defineKernel, workgroupsOverXY } from "../../../engine/kernel.ts";
import { conv1dBase, inputsOfFour, type OwnConv1dVersion } from "../versions.ts";

/** Register tile of 4 frames by 16 channels, weights by broadcast. */
export const conv1dBroadcast = defineKernel({
  ...conv1dBase,
  name: "conv1d.broadcast",
  source: new URL("./conv1d_broadcast.wgsl", import.meta.url),
  features: ["subgroups"],
  workgroups: ({ frames, columns }) => workgroupsOverXY(Math.ceil(frames / 32) * Math.ceil(columns / 16)),
});

/** The rung between `tile` and `wide`: README.md in kernels/conv1d says what it teaches. */
export const conv1dLab = {
  broadcast: { kernels: [conv1dBroadcast], lacks: inputsOfFour, activatesInput: false },
} as const satisfies Record<string, OwnConv1dVersion>;
