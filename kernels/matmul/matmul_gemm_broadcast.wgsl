// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for 5 to 16 rows.
// For software adapters with subgroups: register tile of 16 rows by 4 columns as in matmul_gemm.wgsl, but lane r of four reads
// row r of x and broadcasts its values, one instruction there. A step of four k takes 8 loads for 256 products
// (matmul_gemm.wgsl: 12 for 128), 0.36 of its time at 96 rows. Any subgroup has four lanes or more.
// Layout: x [rows, inner/4] of vec4
//   weight, bias, y: bindings.wgsl
// Lanes past the last group repeat it: a broadcast from a lane that left is undefined.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let group_index = workgroup.x * 8u + local;
  let group = params.first_group + min(group_index, params.groups - 1u);
  let row = workgroup.y * 16u;
  let last = params.rows - 1u;
  let blocks = params.inner / 4u;
  let own = row + (lane & 3u);
  let xa = (params.first_row + min(own, last)) * blocks;
  let xb = (params.first_row + min(own + 4u, last)) * blocks;
  let xc = (params.first_row + min(own + 8u, last)) * blocks;
  let xd = (params.first_row + min(own + 12u, last)) * blocks;
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>(); var s4 = vec4<f32>();
  var s5 = vec4<f32>(); var s6 = vec4<f32>(); var s7 = vec4<f32>(); var s8 = vec4<f32>(); var s9 = vec4<f32>();
  var s10 = vec4<f32>(); var s11 = vec4<f32>(); var s12 = vec4<f32>(); var s13 = vec4<f32>(); var s14 = vec4<f32>();
  var s15 = vec4<f32>();
  for (var chunk = 0u; chunk * 8u < blocks; chunk++) {
    let scale = chunk_scale(chunk, group, blocks);
    let end = min(chunk * 8u + 8u, blocks);
    for (var k = chunk * 8u; k < end; k++) {
      let a = x[xa + k]; let b = x[xb + k]; let c = x[xc + k]; let d = x[xd + k];
      let block = load_block(k, group, blocks, scale);
      let w0 = row0(block);
      s0 += subgroupBroadcast(a.x, 0u) * w0; s1 += subgroupBroadcast(a.x, 1u) * w0;
      s2 += subgroupBroadcast(a.x, 2u) * w0; s3 += subgroupBroadcast(a.x, 3u) * w0;
      s4 += subgroupBroadcast(b.x, 0u) * w0; s5 += subgroupBroadcast(b.x, 1u) * w0;
      s6 += subgroupBroadcast(b.x, 2u) * w0; s7 += subgroupBroadcast(b.x, 3u) * w0;
      s8 += subgroupBroadcast(c.x, 0u) * w0; s9 += subgroupBroadcast(c.x, 1u) * w0;
      s10 += subgroupBroadcast(c.x, 2u) * w0; s11 += subgroupBroadcast(c.x, 3u) * w0;
      s12 += subgroupBroadcast(d.x, 0u) * w0; s13 += subgroupBroadcast(d.x, 1u) * w0;
      s14 += subgroupBroadcast(d.x, 2u) * w0; s15 += subgroupBroadcast(d.x, 3u) * w0;
      let w1 = row1(block);
      s0 += subgroupBroadcast(a.y, 0u) * w1; s1 += subgroupBroadcast(a.y, 1u) * w1;
      s2 += subgroupBroadcast(a.y, 2u) * w1; s3 += subgroupBroadcast(a.y, 3u) * w1;
      s4 += subgroupBroadcast(b.y, 0u) * w1; s5 += subgroupBroadcast(b.y, 1u) * w1;
      s6 += subgroupBroadcast(b.y, 2u) * w1; s7 += subgroupBroadcast(b.y, 3u) * w1;
      s8 += subgroupBroadcast(c.y, 0u) * w1; s9 += subgroupBroadcast(c.y, 1u) * w1;
      s10 += subgroupBroadcast(c.y, 2u) * w1; s11 += subgroupBroadcast(c.y, 3u) * w1;
      s12 += subgroupBroadcast(d.y, 0u) * w1; s13 += subgroupBroadcast(d.y, 1u) * w1;
      s14 += subgroupBroadcast(d.y, 2u) * w1; s15 += subgroupBroadcast(d.y, 3u) * w1;
      let w2 = row2(block);
      s0 += subgroupBroadcast(a.z, 0u) * w2; s1 += subgroupBroadcast(a.z, 1u) * w2;
      s2 += subgroupBroadcast(a.z, 2u) * w2; s3 += subgroupBroadcast(a.z, 3u) * w2;
      s4 += subgroupBroadcast(b.z, 0u) * w2; s5 += subgroupBroadcast(b.z, 1u) * w2;
      s6 += subgroupBroadcast(b.z, 2u) * w2; s7 += subgroupBroadcast(b.z, 3u) * w2;
      s8 += subgroupBroadcast(c.z, 0u) * w2; s9 += subgroupBroadcast(c.z, 1u) * w2;
      s10 += subgroupBroadcast(c.z, 2u) * w2; s11 += subgroupBroadcast(c.z, 3u) * w2;
      s12 += subgroupBroadcast(d.z, 0u) * w2; s13 += subgroupBroadcast(d.z, 1u) * w2;
      s14 += subgroupBroadcast(d.z, 2u) * w2; s15 += subgroupBroadcast(d.z, 3u) * w2;
      let w3 = row3(block);
      s0 += subgroupBroadcast(a.w, 0u) * w3; s1 += subgroupBroadcast(a.w, 1u) * w3;
      s2 += subgroupBroadcast(a.w, 2u) * w3; s3 += subgroupBroadcast(a.w, 3u) * w3;
      s4 += subgroupBroadcast(b.w, 0u) * w3; s5 += subgroupBroadcast(b.w, 1u) * w3;
      s6 += subgroupBroadcast(b.w, 2u) * w3; s7 += subgroupBroadcast(b.w, 3u) * w3;
      s8 += subgroupBroadcast(c.w, 0u) * w3; s9 += subgroupBroadcast(c.w, 1u) * w3;
      s10 += subgroupBroadcast(c.w, 2u) * w3; s11 += subgroupBroadcast(c.w, 3u) * w3;
      s12 += subgroupBroadcast(d.w, 0u) * w3; s13 += subgroupBroadcast(d.w, 1u) * w3;
      s14 += subgroupBroadcast(d.w, 2u) * w3; s15 += subgroupBroadcast(d.w, 3u) * w3;
    }
  }
  // A loop: 64 copies of the GELU take lavapipe seconds to compile.
  var sums = array<vec4<f32>, 16>(
    s0, s1, s2, s3, s4, s5, s6, s7,
    s8, s9, s10, s11, s12, s13, s14, s15,
  );
  for (var i = 0u; i < 16u; i++) {
    if (row + i < params.rows && group_index < params.groups) { store(row + i, group, sums[i]); }
  }
}
