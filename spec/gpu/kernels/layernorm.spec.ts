import { expect } from "chai";
import type { Gpu } from "../../../engine/gpu.ts";
import { layernorm } from "../../../kernels/layernorm/layernorm.ts";
import { layernormReference } from "../../../kernels/layernorm/reference.ts";
import { layernormVersions, type LayernormVersion } from "../../../kernels/layernorm/versions.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";

const versions = Object.keys(layernormVersions) as LayernormVersion[];
const tolerance = { absolute: 4e-6, relative: 2e-6 };

describe("layernorm", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  /** Normalises the first `rows` rows of x into a y that held noise. */
  async function check(
    host: Float32Array<ArrayBuffer>,
    width: number,
    options: { bias: boolean; rows?: number; version?: LayernormVersion },
    allowed = tolerance,
  ): Promise<void> {
    const weight = noise(width, 6, 2);
    const bias = options.bias ? noise(width, 7) : undefined;
    const before = noise(host.length, 8);
    const rows = options.rows ?? host.length / width;
    const x = gpu.tensorFrom("f32", [host.length / width, width], host, "x");
    const y = gpu.tensorFrom("f32", [host.length / width, width], before, "y");
    const norm = {
      weight: gpu.tensorFrom("f32", [width], weight, "weight"),
      bias: bias && gpu.tensorFrom("f32", [width], bias, "bias"),
    };
    const program = gpu.program("layernorm");
    layernorm(program, x, norm, y, {
      ...(options.rows === undefined ? {} : { rows }),
      ...(options.version === undefined ? {} : { version: options.version }),
    });
    await program.run();
    const expected = Float64Array.from(before);
    expected.set(layernormReference(host.subarray(0, rows * width), weight, bias));
    expectClose(await y.read(), expected, allowed, `width ${width}, bias ${options.bias}`);
    for (const tensor of [x, y, norm.weight, norm.bias]) tensor?.dispose();
    program.dispose();
  }

  for (const version of versions) {
    it(`${version}: widths from 1 to 1000`, async () => {
      const widths = [1, 2, 3, 4, 31, 63, 64, 65, 100, 127, 500, 768, 1000];
      for (const width of widths.filter((width) => layernormVersions[version].lacks({ width }) === undefined))
        for (const bias of [true, false]) await check(noise(3 * width, width, 5), width, { version, bias });
    });

    it(`${version}: any number of rows, and none beyond those asked for`, async () => {
      for (const rows of [1, 7, 8, 9, 65]) await check(noise(rows * 12, 2), 12, { version, bias: true });
      await check(noise(20 * 12, 3), 12, { version, bias: true, rows: 11 });
    });

    it(`${version}: keeps the variance of values whose mean is far above it`, async () => {
      // f32 values near 8192 lie 2^-10 apart; the sum of squares would lose a variance of 5 altogether.
      for (const width of [64, 1000]) {
        const x = noise(2 * width, 9, 4).map((value) => 8192 + value);
        await check(x, width, { version, bias: true }, { absolute: 2e-3, relative: 0 });
      }
    });

    it(`${version}: a row of equal values gives the bias`, () =>
      check(new Float32Array(2 * 36).fill(-7), 36, { version, bias: true }));

    it(`${version}: a tiny variance is held up by eps`, () =>
      check(noise(2 * 52, 3, 1e-3), 52, { version, bias: false }));
  }

  for (const width of [24, 25])
    it(`chooses a version that is right for a width of ${width}`, () =>
      check(noise(5 * width, 1), width, { bias: true }));

  it("refuses a version that cannot do a width", async () => {
    const refused = check(noise(2 * 25, 1), 25, { bias: true, version: "thread" });
    expect(await refused.catch(String)).equal(
      "EngineError: layernorm.thread: this version cannot do this shape (expected a width of a multiple of four, got 25)",
    );
  });
});
