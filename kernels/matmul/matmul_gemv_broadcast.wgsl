// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for two to four rows.
// For a batch that decodes on software adapters with subgroups: four rows by four columns an invocation, x by broadcast as in
// matmul_gemm_broadcast.wgsl. One sweep over the weights and one load of x serve all rows: four rows take 1.3 to 1.5 times the
// time of one.
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
  let row = workgroup.y * 4u;
  let blocks = params.inner / 4u;
  let own = (params.first_row + min(row + (lane & 3u), params.rows - 1u)) * blocks;
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
  for (var chunk = 0u; chunk * 8u < blocks; chunk++) {
    let scale = chunk_scale(chunk, group, blocks);
    let end = min(chunk * 8u + 8u, blocks);
    for (var k = chunk * 8u; k < end; k++) {
      let a = x[own + k];
      let block = load_block(k, group, blocks, scale);
      let w0 = row0(block);
      s0 += subgroupBroadcast(a.x, 0u) * w0; s1 += subgroupBroadcast(a.x, 1u) * w0; s2 += subgroupBroadcast(a.x, 2u) * w0;
      s3 += subgroupBroadcast(a.x, 3u) * w0;
      let w1 = row1(block);
      s0 += subgroupBroadcast(a.y, 0u) * w1; s1 += subgroupBroadcast(a.y, 1u) * w1; s2 += subgroupBroadcast(a.y, 2u) * w1;
      s3 += subgroupBroadcast(a.y, 3u) * w1;
      let w2 = row2(block);
      s0 += subgroupBroadcast(a.z, 0u) * w2; s1 += subgroupBroadcast(a.z, 1u) * w2; s2 += subgroupBroadcast(a.z, 2u) * w2;
      s3 += subgroupBroadcast(a.z, 3u) * w2;
      let w3 = row3(block);
      s0 += subgroupBroadcast(a.w, 0u) * w3; s1 += subgroupBroadcast(a.w, 1u) * w3; s2 += subgroupBroadcast(a.w, 2u) * w3;
      s3 += subgroupBroadcast(a.w, 3u) * w3;
    }
  }
  if (group_index >= params.groups) { return; }
  store(row, group, s0);
  if (row + 1u < params.rows) { store(row + 1u, group, s1); }
  if (row + 2u < params.rows) { store(row + 2u, group, s2); }
  if (row + 3u < params.rows) { store(row + 3u, group, s3); }
}
