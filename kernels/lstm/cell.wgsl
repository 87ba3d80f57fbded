// One step of an LSTM (Hochreiter & Schmidhuber 1997): z = gates[t] + W_hh h[t-1], where gates = W_ih x + b_ih + b_hh was
// computed for all t by one matrix product; c = sigmoid(z_f) c + sigmoid(z_i) tanh(z_g); h[t] = sigmoid(z_o) tanh(c).
// The four gates (i, f, g, o) of a unit are one vec4, so one invocation holds all that a unit's state needs.
// gates: [steps, hidden] of vec4; weight: [k, hidden] of Weight4; c: [hidden], in place; h: [steps, hidden]: row t-1 is
// read and row t written, so that the state is the output itself and no dispatch reads what it writes.
// Step 0 starts from h = c = 0 and reads neither, so no buffer need be cleared.
struct Params { step: u32, hidden: u32 }
@group(0) @binding(0) var<storage, read> gates: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<Weight4>;
@group(0) @binding(2) var<storage, read_write> h: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn finish(unit: u32, recurrent: vec4<f32>) {
  let row = params.step * params.hidden;
  let z = gates[row + unit] + recurrent;
  var state = sigmoid(z.x) * tanh_clamped(z.z);
  if (params.step != 0u) { state += sigmoid(z.y) * c[unit]; }
  c[unit] = state;
  h[row + unit] = sigmoid(z.w) * tanh_clamped(state);
}
