import { expect } from "chai";
import { Columns } from "../../web/site/drawing/columns.ts";
import { Spectra } from "../../web/site/drawing/spectrum.ts";

describe("pictures of a sound that grows", () => {
  it("keep the largest of each stretch in columns that never become more than asked for", () => {
    const columns = new Columns(2, 8);
    const values = Array.from({ length: 37 }, (_, i) => (i * 7) % 31);
    for (const value of values) columns.add([value, -value]);
    // 37 columns of 8 each.
    expect([columns.scale, columns.count]).deep.equal([8, 5]);
    for (let i = 0; i < columns.count; i++) {
      const stretch = values.slice(8 * i, 8 * i + 8);
      expect(columns.largest(0, i, i + 1)).equal(Math.max(...stretch));
      expect(columns.largest(1, i, i + 1)).equal(-Math.min(...stretch));
    }
    expect(columns.largest(0, 0, columns.count)).equal(Math.max(...values));
  });

  it("show a sine in the row of its frequency, at full scale as 1, whatever parts it comes in", () => {
    const rows = 64;
    // In the middle of row 20 of 64, which are 8 bins each.
    const samples = Float32Array.from({ length: 4096 }, (_, i) => Math.sin((2 * Math.PI * (20 * 8 + 4) * i) / 1024));
    const columnsOf = (parts: readonly Float32Array[]): Float32Array[] => {
      const spectra = new Spectra(rows);
      const found: Float32Array[] = [];
      for (const part of parts) spectra.push(part, (column) => found.push(column));
      return found;
    };
    const whole = columnsOf([samples]);
    expect(whole).length(8);
    const last = whole.at(-1)!;
    expect(last.indexOf(Math.max(...last))).equal(20);
    expect(last[20]).closeTo(1, 1e-3);
    expect(last[40]).below(0.1);
    expect(columnsOf([samples.subarray(0, 1000), samples.subarray(1000)])).deep.equal(whole);
  });
});
