// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for one row, with subgroups.
// For software adapters: an invocation owns four columns as in matmul_gemv.wgsl, but reads only its lane's share of x and hands
// each block on by a shuffle: lavapipe loads value by value, some eight instructions each, and shuffles in one. 0.79 to 0.86 of
// matmul_gemv.wgsl's time on lavapipe; behind a layer norm 0.7 on SwiftShader.
// Layout: x: input_plain_shuffle.wgsl or input_normed_shuffle.wgsl, which also prepare the row
//   weight, bias, y: bindings.wgsl or normed_bindings.wgsl; eight blocks of a group share a scale
// The loop over a share must not be unrolled: 32 loads are more code than an instruction cache holds, and take four times as
// long. Lanes past the last group repeat it: a shuffle from a lane that left is undefined.
@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) subgroup_size: u32,
) {
  let group_index = workgroup.x * 8u + local;
  let group = params.first_group + min(group_index, params.groups - 1u);
  let row = workgroup.y;
  let blocks = params.inner / 4u;
  let first = (params.first_row + row) * blocks;
  // A workgroup may fill only 8 lanes of a larger subgroup.
  let lanes = min(subgroup_size, 8u);
  let prepared = prepare_input(first, blocks, lane, lanes);
  var sum = vec4<f32>();
  for (var share = 0u; share < blocks; share += lanes) {
    let own = input(first, min(share + lane, blocks - 1u), prepared);
    let end = min(share + lanes, blocks);
    // Without the scale, which multiplies the sum of a share once.
    var part = vec4<f32>();
    for (var k = share; k < end; k++) {
      let a = subgroupShuffle(own, k - share);
      let block = load_block(k, group, blocks, vec4<f32>(1.0));
      part += a.x * row0(block) + a.y * row1(block) + a.z * row2(block) + a.w * row3(block);
    }
    sum += part * chunk_scale(share / 8u, group, blocks);
  }
  if (group_index >= params.groups) { return; }
  store(row, group, sum);
}
