// y[r, n] = sum_k norm(x)[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for one row behind a layer
// normalisation, on software adapters that have subgroups: gemv.wgsl without the barriers of normed_input.wgsl, at which
// lavapipe and SwiftShader split a shader so that what follows takes 1.5 to 2 times as long.
// Every subgroup takes the mean and the variance of the row for itself, in two passes (E[x^2] - E[x]^2 cancels), which is a
// twentieth of its loads, and every invocation scales what it reads of x. x, norm_weight, norm_bias: [inner/4] of vec4;
// W: [inner/4, ceil(columns/4)] blocks (engine/formats/matrix_*.wgsl).
// Lanes past the last group compute it again: a sum over a subgroup that some lanes left is undefined.

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) subgroup_size: u32,
) {
  let group_index = workgroup.x * 8u + local;
  let group = params.first_group + min(group_index, params.groups - 1u);
  let stride = weight_stride();
  let row = workgroup.y;
  let blocks = params.inner / 4u;
  let first = (params.first_row + row) * blocks;

  // A workgroup may fill only 8 lanes of a larger subgroup.
  let lanes = min(subgroup_size, 8u);
  // Sums near zero keep the digits that sums of values far from zero round away; the middle of three, because one value
  // may be thousands of times the others, and taking that off them would round their digits away.
  let shift = middle(x[first]);
  var total = vec4<f32>();
  for (var k = lane; k < blocks; k += lanes) { total += x[first + k] - shift; }
  let mean = subgroupAdd(sum_of(total)) / f32(params.inner);
  var squares = vec4<f32>();
  for (var k = lane; k < blocks; k += lanes) {
    let difference = x[first + k] - shift - mean;
    squares += difference * difference;
  }
  let norm_scale = inverseSqrt(subgroupAdd(sum_of(squares)) / f32(params.inner) + norm_eps);

  var sum = vec4<f32>();
  for (var chunk = 0u; chunk * 8u < blocks; chunk++) {
    let scale = chunk_scale(chunk, group, stride);
    let end = min(chunk * 8u + 8u, blocks);
    for (var k = chunk * 8u; k < end; k++) {
      var a = (x[first + k] - shift - mean) * norm_scale * norm_weight[k];
      if (params.has_norm_bias != 0u) { a += norm_bias[k]; }
      let block = load_block(k, group, stride, scale);
      sum += a.x * row0(block, stride) + a.y * row1(block, stride) + a.z * row2(block, stride) + a.w * row3(block, stride);
    }
  }
  if (group_index >= params.groups) { return; }
  store(row, group, sum);
}
