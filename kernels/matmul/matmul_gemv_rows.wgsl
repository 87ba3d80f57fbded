// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for three or four rows.
// For a batch that decodes on software adapters without subgroups: an invocation owns 4 rows by 4 columns in registers, so that
// rows share one sweep over the weights. In Deno on lavapipe four rows take 0.50 to 0.58 of the time of matmul_gemv.wgsl;
// matmul_gemm.wgsl computes 8 rows, twice the work.
// Layout: x [rows, inner/4] of vec4
//   weight, bias, y: bindings.wgsl
// Rows past the end repeat the last instead of a test in the inner loop; only the store is guarded.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let group_index = workgroup.x * 32u + local;
  if (group_index >= params.groups) { return; }
  let group = params.first_group + group_index;
  let row = workgroup.y * 4u;
  let last = params.rows - 1u;
  let blocks = params.inner / 4u;
  let x0 = (params.first_row + row) * blocks;
  let x1 = (params.first_row + min(row + 1u, last)) * blocks;
  let x2 = (params.first_row + min(row + 2u, last)) * blocks;
  let x3 = (params.first_row + min(row + 3u, last)) * blocks;
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
  for (var chunk = 0u; chunk * 8u < blocks; chunk++) {
    let scale = chunk_scale(chunk, group, blocks);
    let end = min(chunk * 8u + 8u, blocks);
    for (var k = chunk * 8u; k < end; k++) {
      let a0 = x[x0 + k]; let a1 = x[x1 + k]; let a2 = x[x2 + k]; let a3 = x[x3 + k];
      let block = load_block(k, group, blocks, scale);
      let w0 = row0(block);
      s0 += a0.x * w0; s1 += a1.x * w0; s2 += a2.x * w0; s3 += a3.x * w0;
      let w1 = row1(block);
      s0 += a0.y * w1; s1 += a1.y * w1; s2 += a2.y * w1; s3 += a3.y * w1;
      let w2 = row2(block);
      s0 += a0.z * w2; s1 += a1.z * w2; s2 += a2.z * w2; s3 += a3.z * w2;
      let w3 = row3(block);
      s0 += a0.w * w3; s1 += a1.w * w3; s2 += a2.w * w3; s3 += a3.w * w3;
    }
  }
  store(row, group, s0);
  if (row + 1u < params.rows) { store(row + 1u, group, s1); }
  if (row + 2u < params.rows) { store(row + 2u, group, s2); }
  if (row + 3u < params.rows) { store(row + 3u, group, s3); }
}
