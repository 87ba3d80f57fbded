// code[r] = the first j with the largest score[r, j] = x[r] . e_j - |e_j|^2 / 2, then x[r] -= e_code[r].
// |x - e_j|^2 = |x|^2 - 2 score, so that is the nearest entry. |x|^2 is the same for all j and would only drown small
// differences. A product computes the scores before (codebook.ts). An invocation owns a row: no barrier, and both loops are short
// beside the product.
// Layout: scores [rows, size]
//   entries [ceil(size/32), ceil(width/4)*4, 8] of vec4, as the weight of the product (engine/formats/matrix_f32.wgsl)
//   x [rows, width], in place
//   codes: row r's code is element first + r
struct Params { rows: u32, size: u32, width: u32, first: u32 }
@group(0) @binding(0) var<storage, read> scores: array<f32>;
@group(0) @binding(1) var<storage, read> entries: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> codes: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let row = (workgroup.y * workgroups.x + workgroup.x) * 32u + local;
  if (row >= params.rows) { return; }
  let first_score = row * params.size;
  var code = 0u;
  var best = scores[first_score];
  for (var j = 1u; j < params.size; j++) {
    let score = scores[first_score + j];
    if (score > best) {
      best = score;
      code = j;
    }
  }
  codes[params.first + row] = code;
  let panel = code / 32u * ((params.width + 3u) / 4u * 4u);
  for (var k = 0u; k < params.width; k++) {
    x[row * params.width + k] -= entries[(panel + k) * 8u + code % 32u / 4u][code % 4u];
  }
}
