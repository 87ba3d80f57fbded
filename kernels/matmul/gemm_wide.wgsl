// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for many rows and an inner width that is a
// multiple of four.
// Register tile without workgroup memory as in gemm.wgsl, of 8 rows by 8 columns, with x read four values at a time.
// Software adapters pay for every value loaded, some twenty cycles, whether lanes share it or not: here a step of k
// takes 16 loads for 64 products (gemm.wgsl: 12 for 32), and four values of x cost little more than one.
// The two column groups of an invocation lie 32 apart, so that neighbours still read neighbouring vec4 of W.
// x: [rows, inner/4] of vec4; W: [inner, ceil(columns/4)] of Weight4.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let group_index = workgroup.x * 64u + local;
  if (group_index >= params.groups) { return; }
  // A second group past the end computes the first one again; only its store is left out.
  let has_second = group_index + 32u < params.groups;
  let group = params.first_group + group_index;
  let second = select(0u, 32u, has_second);
  let row = workgroup.y * 8u;
  let last = params.rows - 1u;
  let inner = params.inner / 4u;
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
  var t0 = vec4<f32>(); var t1 = vec4<f32>(); var t2 = vec4<f32>(); var t3 = vec4<f32>();
  var t4 = vec4<f32>(); var t5 = vec4<f32>(); var t6 = vec4<f32>(); var t7 = vec4<f32>();
  var w_index = group;
  for (var k = 0u; k < inner; k++) {
    let a0 = x[x0 + k]; let a1 = x[x1 + k]; let a2 = x[x2 + k]; let a3 = x[x3 + k];
    let a4 = x[x4 + k]; let a5 = x[x5 + k]; let a6 = x[x6 + k]; let a7 = x[x7 + k];
    let w0 = unpack_weight(weight[w_index]);
    s0 += a0.x * w0; s1 += a1.x * w0; s2 += a2.x * w0; s3 += a3.x * w0; s4 += a4.x * w0; s5 += a5.x * w0; s6 += a6.x * w0; s7 += a7.x * w0;
    let v0 = unpack_weight(weight[w_index + second]);
    t0 += a0.x * v0; t1 += a1.x * v0; t2 += a2.x * v0; t3 += a3.x * v0; t4 += a4.x * v0; t5 += a5.x * v0; t6 += a6.x * v0; t7 += a7.x * v0;
    w_index += stride;
    let w1 = unpack_weight(weight[w_index]);
    s0 += a0.y * w1; s1 += a1.y * w1; s2 += a2.y * w1; s3 += a3.y * w1; s4 += a4.y * w1; s5 += a5.y * w1; s6 += a6.y * w1; s7 += a7.y * w1;
    let v1 = unpack_weight(weight[w_index + second]);
    t0 += a0.y * v1; t1 += a1.y * v1; t2 += a2.y * v1; t3 += a3.y * v1; t4 += a4.y * v1; t5 += a5.y * v1; t6 += a6.y * v1; t7 += a7.y * v1;
    w_index += stride;
    let w2 = unpack_weight(weight[w_index]);
    s0 += a0.z * w2; s1 += a1.z * w2; s2 += a2.z * w2; s3 += a3.z * w2; s4 += a4.z * w2; s5 += a5.z * w2; s6 += a6.z * w2; s7 += a7.z * w2;
    let v2 = unpack_weight(weight[w_index + second]);
    t0 += a0.z * v2; t1 += a1.z * v2; t2 += a2.z * v2; t3 += a3.z * v2; t4 += a4.z * v2; t5 += a5.z * v2; t6 += a6.z * v2; t7 += a7.z * v2;
    w_index += stride;
    let w3 = unpack_weight(weight[w_index]);
    s0 += a0.w * w3; s1 += a1.w * w3; s2 += a2.w * w3; s3 += a3.w * w3; s4 += a4.w * w3; s5 += a5.w * w3; s6 += a6.w * w3; s7 += a7.w * w3;
    let v3 = unpack_weight(weight[w_index + second]);
    t0 += a0.w * v3; t1 += a1.w * v3; t2 += a2.w * v3; t3 += a3.w * v3; t4 += a4.w * v3; t5 += a5.w * v3; t6 += a6.w * v3; t7 += a7.w * v3;
    w_index += stride;
  }
  let rows = min(8u, params.rows - row);
  var s = array<vec4<f32>, 8>(s0, s1, s2, s3, s4, s5, s6, s7);
  var t = array<vec4<f32>, 8>(t0, t1, t2, t3, t4, t5, t6, t7);
  for (var i = 0u; i < rows; i++) {
    store(row + i, group, s[i]);
    if (has_second) { store(row + i, group + 32u, t[i]); }
  }
}
