// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for one row or a few, on a GPU.
// A workgroup of 16 x 16 owns 16 groups of four columns; k is split over 16 lanes, so that each row of lanes reads 256
// neighbouring bytes of W, and enough loads are in flight. The 16 partial sums meet in workgroup memory.
// The input comes from plain_input.wgsl or normed_input.wgsl. x: [rows, inner/4] of vec4; W: [inner/4, ceil(columns/4)]
// blocks (engine/formats/matrix_*.wgsl).
var<workgroup> partial: array<vec4<f32>, 256>;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let group_index = workgroup.x * 16u + local.x;
  let row = workgroup.y;
  let blocks = params.inner / 4u;
  let first = (params.first_row + row) * blocks;
  prepare_input(first, blocks, local.y * 16u + local.x, 256u);
  let stride = weight_stride();
  // Lanes past the last group work on it again, so that every lane reaches the barrier with loads in bounds.
  let group = params.first_group + min(group_index, params.groups - 1u);
  var sum = vec4<f32>();
  for (var k = local.y; k < blocks; k += 16u) {
    let a = input(first, k);
    let block = load_block(k, group, stride, chunk_scale(k / 8u, group, stride));
    sum += a.x * row0(block, stride) + a.y * row1(block, stride) + a.z * row2(block, stride) + a.w * row3(block, stride);
  }
  partial[local.y * 16u + local.x] = sum;
  workgroupBarrier();
  if (local.y != 0u || group_index >= params.groups) { return; }
  for (var i = 1u; i < 16u; i++) { sum += partial[i * 16u + local.x]; }
  store(row, group, sum);
}
