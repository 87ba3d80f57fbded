import { expect } from "chai";
import { TorchStorage, TorchTensor } from "../../../checkpoint/torch/tensor.ts";

const dtype = { name: "F32", bytes: 4 } as const;
const entry = {
  ...{ name: "0", method: 0, compressedSize: 96, size: 96, crc32: 0, isEncrypted: false },
  headerOffset: 0,
};
const storage = new TorchStorage(entry, dtype);
const isContiguous = (shape: number[], strides: number[]): boolean =>
  new TorchTensor(storage, dtype, 0, shape, strides).isContiguous;

describe("TorchTensor.isContiguous", () => {
  it("says whether the elements lie one after the other, whatever the strides of axes of one", () => {
    for (const [shape, strides] of [
      [[], []],
      [[24], [1]],
      [
        [4, 6],
        [6, 1],
      ],
      [
        [2, 3, 4],
        [12, 4, 1],
      ],
      [
        [4, 1, 6],
        [6, 9, 1],
      ],
      [
        [1, 6, 1],
        [9, 1, 9],
      ],
    ])
      expect(isContiguous(shape, strides), `[${shape.join(", ")}]`).to.equal(true);
    for (const [shape, strides] of [
      [[12], [2]],
      [[3], [0]],
      [
        [6, 4],
        [1, 6],
      ],
      [
        [4, 3],
        [6, 1],
      ],
      [
        [2, 3, 2],
        [12, 4, 1],
      ],
    ])
      expect(isContiguous(shape, strides), `[${shape.join(", ")}]`).to.equal(false);
  });
});
