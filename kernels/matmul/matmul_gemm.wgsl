// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for many rows, without subgroups.
// Register tile without workgroup memory: an invocation owns 8 rows by 4 columns. Software adapters pay for every load of every
// lane and little for its width or for arithmetic: a step of four k takes 12 loads of 16 bytes for 128 products. Larger tiles
// take fewer loads but no longer fit lavapipe's registers, and are slower.
// Layout: x [rows, inner/4] of vec4
//   weight, bias, y: bindings.wgsl
// Rows past the end repeat the last instead of a test in the inner loop; only the store is guarded.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let group_index = workgroup.x * 32u + local;
  let group = params.first_group + min(group_index, params.groups - 1u);
  let row = workgroup.y * 8u;
  let last = params.rows - 1u;
  let blocks = params.inner / 4u;
  let x0 = (params.first_row + row) * blocks;
  let x1 = (params.first_row + min(row + 1u, last)) * blocks;
  let x2 = (params.first_row + min(row + 2u, last)) * blocks;
  let x3 = (params.first_row + min(row + 3u, last)) * blocks;
  let x4 = (params.first_row + min(row + 4u, last)) * blocks;
  let x5 = (params.first_row + min(row + 5u, last)) * blocks;
  let x6 = (params.first_row + min(row + 6u, last)) * blocks;
  let x7 = (params.first_row + min(row + 7u, last)) * blocks;
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>(); var s4 = vec4<f32>();
  var s5 = vec4<f32>(); var s6 = vec4<f32>(); var s7 = vec4<f32>();
  for (var chunk = 0u; chunk * 8u < blocks; chunk++) {
    let scale = chunk_scale(chunk, group, blocks);
    let end = min(chunk * 8u + 8u, blocks);
    for (var k = chunk * 8u; k < end; k++) {
      let a0 = x[x0 + k]; let a1 = x[x1 + k]; let a2 = x[x2 + k]; let a3 = x[x3 + k]; let a4 = x[x4 + k];
      let a5 = x[x5 + k]; let a6 = x[x6 + k]; let a7 = x[x7 + k];
      let block = load_block(k, group, blocks, scale);
      let w0 = row0(block);
      s0 += a0.x * w0; s1 += a1.x * w0; s2 += a2.x * w0; s3 += a3.x * w0; s4 += a4.x * w0; s5 += a5.x * w0;
      s6 += a6.x * w0; s7 += a7.x * w0;
      let w1 = row1(block);
      s0 += a0.y * w1; s1 += a1.y * w1; s2 += a2.y * w1; s3 += a3.y * w1; s4 += a4.y * w1; s5 += a5.y * w1;
      s6 += a6.y * w1; s7 += a7.y * w1;
      let w2 = row2(block);
      s0 += a0.z * w2; s1 += a1.z * w2; s2 += a2.z * w2; s3 += a3.z * w2; s4 += a4.z * w2; s5 += a5.z * w2;
      s6 += a6.z * w2; s7 += a7.z * w2;
      let w3 = row3(block);
      s0 += a0.w * w3; s1 += a1.w * w3; s2 += a2.w * w3; s3 += a3.w * w3; s4 += a4.w * w3; s5 += a5.w * w3;
      s6 += a6.w * w3; s7 += a7.w * w3;
    }
  }
  // A loop: 32 copies of the GELU take lavapipe seconds to compile.
  var sums = array<vec4<f32>, 8>(
    s0, s1, s2, s3, s4, s5, s6, s7,
  );
  for (var i = 0u; i < 8u; i++) {
    if (row + i < params.rows && group_index < params.groups) { store(row + i, group, sums[i]); }
  }
}
