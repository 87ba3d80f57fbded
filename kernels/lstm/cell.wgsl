// z = gates[t] + W_hh h[t-1]; c = sigmoid(z_f) c + sigmoid(z_i) tanh(z_g); h[t] = sigmoid(z_o) tanh(c) (Hochreiter et al. 1997).
// gates = W_ih x + b_ih + b_hh comes from one product for many t. A dispatch does a step of each of two stacked layers, b a chunk
// of steps behind a, so that its gates exist and the two touch different rows: the sequence costs one dispatch a step, not two.
// Layout: gates_a, gates_b [chunk, hidden] of vec4 (i, f, g, o)
//   weight [layer, block, k, 32] of Weight4, unit = 32 block + last: a block of units reads one stretch of memory along k
//   h [region, length, hidden]: layer a in region `region_a`, b in the other; the state is the output itself
//   c [layer, hidden], in place
// Step 0 starts from h = c = 0 and reads neither, so no buffer need be cleared. No dispatch reads what it writes.
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

// Where a layer's row of h for a step begins.
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
