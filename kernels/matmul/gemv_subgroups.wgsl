// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for one row or a few, on a GPU with subgroups.
// A workgroup of 128 lanes owns two groups of four columns, and k is split over all its lanes: 32 neighbouring bytes of W a
// lane and row, the least that a GPU reads, and eight times the workgroups of gemv_split.wgsl, which leaves most of a large
// GPU idle at 768 columns. The lanes' sums meet within subgroups first, then in workgroup memory; nothing is assumed about
// the size of subgroups or which lanes form one.
// The input comes from plain_input.wgsl or normed_input.wgsl. x: [rows, inner/4] of vec4; W: [inner/4, ceil(columns/4)]
// blocks (engine/formats/matrix_*.wgsl).
const lanes = 128u;
var<workgroup> partial_a: array<vec4<f32>, lanes>;
var<workgroup> partial_b: array<vec4<f32>, lanes>;

@compute @workgroup_size(lanes)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(num_subgroups) subgroups: u32,
) {
  let row = workgroup.y;
  let blocks = params.inner / 4u;
  let first = (params.first_row + row) * blocks;
  prepare_input(first, blocks, local, lanes);
  let stride = weight_stride();
  let group = params.first_group + workgroup.x * 2u;
  let past = params.first_group + params.groups;
  // Of an odd number of groups the last is computed twice, so that its loads are in bounds.
  let next = min(group + 1u, past - 1u);
  var a = vec4<f32>();
  var b = vec4<f32>();
  for (var k = local; k < blocks; k += lanes) {
    let value = input(first, k);
    let block = load_block(k, group, stride, chunk_scale(k / 8u, group, stride));
    let beside = load_block(k, next, stride, chunk_scale(k / 8u, next, stride));
    a += value.x * row0(block, stride); b += value.x * row0(beside, stride);
    a += value.y * row1(block, stride); b += value.y * row1(beside, stride);
    a += value.z * row2(block, stride); b += value.z * row2(beside, stride);
    a += value.w * row3(block, stride); b += value.w * row3(beside, stride);
  }
  a = subgroupAdd(a);
  b = subgroupAdd(b);
  if (subgroupElect()) {
    partial_a[subgroup] = a;
    partial_b[subgroup] = b;
  }
  workgroupBarrier();
  if (local == 0u) {
    a = partial_a[0];
    for (var i = 1u; i < subgroups; i++) { a += partial_a[i]; }
    store(row, group, a);
  }
  if (local == 1u && group + 1u < past) {
    b = partial_b[0];
    for (var i = 1u; i < subgroups; i++) { b += partial_b[i]; }
    store(row, next, b);
  }
}
