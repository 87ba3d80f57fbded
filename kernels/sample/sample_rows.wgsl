// out[first + row * stride] = select_id(logits[row]) (select.wgsl): one id for each of many rows that do not depend on each other,
// the positions of a pass of Bark's fine model. One workgroup a row; the row's number is the draw's counter.
// Layout: logits [rows, vocabulary]
//   out: row r's id is element first + r * stride
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = workgroup.x;
  let id = select_id(local, row, row * params.vocabulary, 0u);
  if (local == 0u) { out[params.first + row * params.stride] = id; }
}
