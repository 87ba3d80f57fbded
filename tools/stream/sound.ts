const [size, low, high, bands] = [512, 100, 8000, 24];

/** Power of each of 24 bands from 100 Hz to 8 kHz, a frame of 512 samples each, in dB. */
function spectrum(samples: Float32Array): number[][] {
  const edges = Array.from({ length: bands + 1 }, (_, i) => low * (high / low) ** (i / bands));
  const bins = edges.map((hertz) => Math.round((hertz * size) / 24000));
  return Array.from({ length: Math.floor(samples.length / size) }, (_, frame) => {
    const power = powers(samples.subarray(frame * size, (frame + 1) * size));
    return Array.from({ length: bands }, (_, band) => {
      const own = power.slice(bins[band], Math.max(bins[band] + 1, bins[band + 1]));
      return 10 * Math.log10(1e-9 + own.reduce((sum, value) => sum + value, 0) / own.length);
    });
  });
}

/** By its definition: a tool has time. */
function powers(frame: Float32Array): number[] {
  return Array.from({ length: Math.round((high * size) / 24000) + 2 }, (_, k) => {
    let [re, im] = [0, 0];
    for (let i = 0; i < size; i++) {
      const windowed = frame[i] * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
      re += windowed * Math.cos((2 * Math.PI * k * i) / size);
      im -= windowed * Math.sin((2 * Math.PI * k * i) / size);
    }
    return (re * re + im * im) / size;
  });
}

/** Mean difference of two sounds of one length over bands and frames, in dB. */
export function spectralDistance(a: Float32Array, b: Float32Array): number {
  const [first, second] = [spectrum(a), spectrum(b)];
  const differences = first.flatMap((frame, i) => frame.map((value, band) => Math.abs(value - second[i][band])));
  return differences.reduce((sum, value) => sum + value, 0) / differences.length;
}

/** The largest second difference at the seams, beside the 99.9th percentile of all: above 1 might be heard as a click. */
export function sharpest(samples: Float32Array, seams: readonly number[]): number {
  const bend = (i: number): number => Math.abs(samples[i + 1] - 2 * samples[i] + samples[i - 1]);
  const all = Array.from({ length: samples.length - 2 }, (_, i) => bend(i + 1)).sort((x, y) => x - y);
  const usual = all[Math.floor(0.999 * (all.length - 1))];
  return Math.max(...seams.flatMap((at) => [at - 1, at]).map((i) => bend(i))) / usual;
}
