// y[r] = given[r] + position_table[positions[r]]: embeddings that the caller computed, plus positions.
// An invocation owns four values of one row.
// Layout: given [rows, width]
//   positions: row r's at position_first + r * position_stride
//   position_table [n, ceil(width/4)] of Weight4
//   y [rows, width]
// A position past the table reads its last entry, as in embedding.wgsl.
struct Params { rows: u32, width: u32, position_first: u32, position_stride: u32 }
@group(0) @binding(0) var<storage, read> given: array<f32>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> position_table: array<Weight4>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let stride = (params.width + 3u) / 4u;
  let group = workgroup.x * 32u + local;
  let row = workgroup.y;
  if (group >= stride) { return; }
  let wanted = positions[params.position_first + row * params.position_stride];
  let position = min(wanted, arrayLength(&position_table) / stride - 1u);
  let embedding = unpack_weight(position_table[position * stride + group]);
  for (var i = 0u; i < 4u; i++) {
    let column = group * 4u + i;
    let index = row * params.width + column;
    if (column < params.width) { y[index] = given[index] + embedding[i]; }
  }
}
