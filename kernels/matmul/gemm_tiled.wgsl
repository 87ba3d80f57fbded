// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for many rows, on a GPU.
// A workgroup of 16 x 8 owns 64 rows by 64 columns, an invocation 8 rows by 4 columns of them in registers. k goes in steps
// of 32, the chunk that shares a scale in q8: the tiles of x and W for a step lie in workgroup memory, 16 KiB in all, which
// every device allows. Each invocation brings one block of W and four vec4 of x a step.
// x: [rows, inner/4] of vec4; W: blocks (engine/formats/matrix_*.wgsl).
// Rows, groups and blocks past the end are read from inside and not stored, or are zero in the tile of x, so that every
// lane reaches the barriers and the inner loop tests nothing.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

var<workgroup> x_tile: array<vec4<f32>, 512>; // [64 rows, 8 blocks]
var<workgroup> w_tile: array<vec4<f32>, 512>; // [32 k, 16 groups]

@compute @workgroup_size(16, 8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let group_index = workgroup.x * 16u + local.x;
  let group = params.first_group + min(group_index, params.groups - 1u);
  let row = workgroup.y * 64u + local.y * 8u;
  let blocks = params.inner / 4u;
  // What this lane brings of x: block `column` of rows 16 apart.
  let index = local.y * 16u + local.x;
  let column = index % 8u;
  let x_row = workgroup.y * 64u + index / 8u;
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>(); var s4 = vec4<f32>();
  var s5 = vec4<f32>(); var s6 = vec4<f32>(); var s7 = vec4<f32>();
  for (var chunk = 0u; chunk * 8u < blocks; chunk++) {
    for (var i = 0u; i < 4u; i++) {
      let k = chunk * 8u + column;
      var value = vec4<f32>();
      if (k < blocks) { value = x[(params.first_row + min(x_row + 16u * i, params.rows - 1u)) * blocks + k]; }
      x_tile[(index / 8u + 16u * i) * 8u + column] = value;
    }
    let block = load_block(min(chunk * 8u + local.y, blocks - 1u), group, blocks, chunk_scale(chunk, group, blocks));
    let w_first = local.y * 64u + local.x;
    w_tile[w_first] = row0(block);
    w_tile[w_first + 16u] = row1(block);
    w_tile[w_first + 32u] = row2(block);
    w_tile[w_first + 48u] = row3(block);
    workgroupBarrier();
    for (var k = 0u; k < 8u; k++) {
      let a_first = local.y * 64u + k;
      let a0 = x_tile[a_first]; let a1 = x_tile[a_first + 8u]; let a2 = x_tile[a_first + 16u];
      let a3 = x_tile[a_first + 24u]; let a4 = x_tile[a_first + 32u]; let a5 = x_tile[a_first + 40u];
      let a6 = x_tile[a_first + 48u]; let a7 = x_tile[a_first + 56u];
      let b_first = k * 64u + local.x;
      let w0 = w_tile[b_first];
      s0 += a0.x * w0; s1 += a1.x * w0; s2 += a2.x * w0; s3 += a3.x * w0; s4 += a4.x * w0; s5 += a5.x * w0;
      s6 += a6.x * w0; s7 += a7.x * w0;
      let w1 = w_tile[b_first + 16u];
      s0 += a0.y * w1; s1 += a1.y * w1; s2 += a2.y * w1; s3 += a3.y * w1; s4 += a4.y * w1; s5 += a5.y * w1;
      s6 += a6.y * w1; s7 += a7.y * w1;
      let w2 = w_tile[b_first + 32u];
      s0 += a0.z * w2; s1 += a1.z * w2; s2 += a2.z * w2; s3 += a3.z * w2; s4 += a4.z * w2; s5 += a5.z * w2;
      s6 += a6.z * w2; s7 += a7.z * w2;
      let w3 = w_tile[b_first + 48u];
      s0 += a0.w * w3; s1 += a1.w * w3; s2 += a2.w * w3; s3 += a3.w * w3; s4 += a4.w * w3; s5 += a5.w * w3;
      s6 += a6.w * w3; s7 += a7.w * w3;
    }
    workgroupBarrier();
  }
  if (group_index >= params.groups) { return; }
  if (row < params.rows) { store(row, group, s0); }
  if (row + 1u < params.rows) { store(row + 1u, group, s1); }
  if (row + 2u < params.rows) { store(row + 2u, group, s2); }
  if (row + 3u < params.rows) { store(row + 3u, group, s3); }
  if (row + 4u < params.rows) { store(row + 4u, group, s4); }
  if (row + 5u < params.rows) { store(row + 5u, group, s5); }
  if (row + 6u < params.rows) { store(row + 6u, group, s6); }
  if (row + 7u < params.rows) { store(row + 7u, group, s7); }
}
