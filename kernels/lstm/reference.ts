import { sigmoid } from "../math.ts";
import type { LstmWeights } from "./lstm.ts";

/** One LSTM layer in f64 from a state of zero (torch's `nn.LSTM`). x: [steps, input]; result: [steps, hidden]. */
export function lstmReference(x: ArrayLike<number>, weights: LstmWeights, hidden: number): Float64Array {
  const input = weights.weightIh.length / (4 * hidden);
  const steps = x.length / input;
  const output = new Float64Array(steps * hidden);
  let h = new Float64Array(hidden);
  const c = new Float64Array(hidden);
  for (let step = 0; step < steps; step++) {
    const z = (gate: number, unit: number): number => {
      const row = gate * hidden + unit;
      let sum = weights.biasIh[row] + weights.biasHh[row];
      for (let k = 0; k < input; k++) sum += weights.weightIh[row * input + k] * x[step * input + k];
      for (let k = 0; k < hidden; k++) sum += weights.weightHh[row * hidden + k] * h[k];
      return sum;
    };
    const next = new Float64Array(hidden);
    for (let unit = 0; unit < hidden; unit++) {
      c[unit] = sigmoid(z(1, unit)) * c[unit] + sigmoid(z(0, unit)) * Math.tanh(z(2, unit));
      next[unit] = sigmoid(z(3, unit)) * Math.tanh(c[unit]);
    }
    h = next;
    output.set(h, step * hidden);
  }
  return output;
}
