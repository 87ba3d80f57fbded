// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for many rows.
// Register tile without workgroup memory: one invocation owns 8 rows by 4 columns. All invocations of a workgroup share
// the rows, so x is read at one address by all of them (a broadcast), and neighbours read neighbouring vec4 of W.
// x: [rows, inner]; W: [inner, ceil(columns/4)] of Weight4, so any width of output works; inner needs no padding.
// Rows past the end read row `rows - 1` again instead of being tested in the inner loop; only the store is guarded.
@group(0) @binding(0) var<storage, read> x: array<f32>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let group_index = workgroup.x * 32u + local;
  if (group_index >= params.groups) { return; }
  let group = params.first_group + group_index;
  let row = workgroup.y * 8u;
  let last = params.rows - 1u;
  let inner = params.inner;
  let x0 = (params.first_row + row) * inner;
  let x1 = (params.first_row + min(row + 1u, last)) * inner;
  let x2 = (params.first_row + min(row + 2u, last)) * inner;
  let x3 = (params.first_row + min(row + 3u, last)) * inner;
  let x4 = (params.first_row + min(row + 4u, last)) * inner;
  let x5 = (params.first_row + min(row + 5u, last)) * inner;
  let x6 = (params.first_row + min(row + 6u, last)) * inner;
  let x7 = (params.first_row + min(row + 7u, last)) * inner;
  let stride = weight_stride();
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
  var s4 = vec4<f32>(); var s5 = vec4<f32>(); var s6 = vec4<f32>(); var s7 = vec4<f32>();
  var w_index = group;
  for (var k = 0u; k < inner; k++) {
    let w = unpack_weight(weight[w_index]);
    w_index += stride;
    s0 += x[x0 + k] * w; s1 += x[x1 + k] * w; s2 += x[x2 + k] * w; s3 += x[x3 + k] * w;
    s4 += x[x4 + k] * w; s5 += x[x5 + k] * w; s6 += x[x6 + k] * w; s7 += x[x7 + k] * w;
  }
  store(row, group, s0);
  if (row + 1u < params.rows) { store(row + 1u, group, s1); }
  if (row + 2u < params.rows) { store(row + 2u, group, s2); }
  if (row + 3u < params.rows) { store(row + 3u, group, s3); }
  if (row + 4u < params.rows) { store(row + 4u, group, s4); }
  if (row + 5u < params.rows) { store(row + 5u, group, s5); }
  if (row + 6u < params.rows) { store(row + 6u, group, s6); }
  if (row + 7u < params.rows) { store(row + 7u, group, s7); }
}
