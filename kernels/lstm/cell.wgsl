// One step of an LSTM (Hochreiter & Schmidhuber 1997): z = gates[t] + W_hh h[t-1], where gates = W_ih x + b_ih + b_hh was
// computed for many t by one matrix product; c = sigmoid(z_f) c + sigmoid(z_i) tanh(z_g); h[t] = sigmoid(z_o) tanh(c).
// A dispatch does a step of each of two layers that lie on each other: layer b is a chunk of steps behind layer a, so that
// its gates exist, and the two do not touch each other's rows. What is sequential costs one dispatch a step, not two.
// The four gates (i, f, g, o) of a unit are one vec4, so one invocation holds all that a unit's state needs.
// gates_a, gates_b: [chunk, hidden] of vec4; weight: [layer, block, k, 32] of Weight4, where block and 32 make the unit, so
// that who walks k for a block of units reads one stretch of memory; c: [layer, hidden], in place;
// h: [region, length, hidden], of which layer a has region `region_a` and b the other: row t-1 is read and row t written,
// so that the state is the output itself and no dispatch reads what it writes.
// Step 0 starts from h = c = 0 and reads neither, so no buffer need be cleared.
struct Params {
  first: u32,   // layer of workgroup row 0: 1 where layer a has ended
  step_a: u32,
  step_b: u32,
  region_a: u32,
  length: u32,
  chunk: u32,
  hidden: u32,
}
@group(0) @binding(0) var<storage, read> gates_a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> gates_b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<Weight4>;
@group(0) @binding(3) var<storage, read_write> h: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

// Where the weights of a unit lie for k = 0. Those for the next k are 32 further.
fn weights_of(layer: u32, unit: u32) -> u32 {
  let blocks = (params.hidden + 31u) / 32u;
  return (layer * blocks + unit / 32u) * params.hidden * 32u + unit % 32u;
}

fn step_of(layer: u32) -> u32 { return select(params.step_a, params.step_b, layer == 1u); }

// Where the row of h lies that a layer writes at a step.
fn row_of(layer: u32, step: u32) -> u32 {
  return (((params.region_a + layer) & 1u) * params.length + step) * params.hidden;
}

fn finish(layer: u32, unit: u32, recurrent: vec4<f32>) {
  let step = step_of(layer);
  let gate = (step % params.chunk) * params.hidden + unit;
  var z = recurrent;
  if (layer == 0u) { z += gates_a[gate]; } else { z += gates_b[gate]; }
  let cell = layer * params.hidden + unit;
  var state = sigmoid(z.x) * tanh_clamped(z.z);
  if (step != 0u) { state += sigmoid(z.y) * c[cell]; }
  c[cell] = state;
  h[row_of(layer, step) + unit] = sigmoid(z.w) * tanh_clamped(state);
}
