// tokens[row, step] = select_id(logits[row]) (select.wgsl), and the row's decode state moves on: the last kernel of a decode step.
// The next step needs nothing from the host. One workgroup a row; lane 0 writes.
// Layout: logits [rows, vocabulary]
//   state [rows, 4] = token, position, step, done
//   tokens [rows, stride], of which element `step` is written
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = workgroup.x;
  let own = row * 4u;
  let step = state[own + 2u];
  let id = select_id(local, row, row * params.vocabulary, step);
  if (local != 0u) { return; }
  let done = state[own + 3u] != 0u;
  let token = select(id, params.pad, done);
  if (step < params.stride) { tokens[params.first + row * params.stride + step] = token; }
  state[own] = token;
  state[own + 1u] += 1u;
  state[own + 2u] = step + 1u;
  if (id == params.eos) { state[own + 3u] = 1u; }
}
