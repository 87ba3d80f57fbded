// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl); unrolled: sRG = row 8 R + lane, column group G.
// For 17 rows and more on lavapipe with subgroups of eight lanes: register tile of 32 rows by 32 columns, lanes along rows.
// lavapipe loads value by value, some eight instructions each, but broadcasts and multiplies all lanes in one. So lane g of eight
// loads and unpacks the weights of group g for all: 8 loads for 512 products a step, 0.43 to 0.80 of gemm_broadcast's time.
// Layout: x [rows, inner/4] of vec4
//   weight, bias, y: bindings.wgsl
// Four products are summed before they meet an accumulator, which lies in memory. Lanes past the last row or group repeat the
// last: a broadcast from a lane that left is undefined.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let group = params.first_group + workgroup.x * 8u;
  let own = min(group + (lane & 7u), params.first_group + params.groups - 1u);
  let row = workgroup.y * 32u + local;
  let last = params.rows - 1u;
  let blocks = params.inner / 4u;
  let x0 = (params.first_row + min(row, last)) * blocks;
  let x1 = (params.first_row + min(row + 8u, last)) * blocks;
  let x2 = (params.first_row + min(row + 16u, last)) * blocks;
  let x3 = (params.first_row + min(row + 24u, last)) * blocks;
  var s00 = vec4<f32>(); var s10 = vec4<f32>(); var s20 = vec4<f32>(); var s30 = vec4<f32>();
  var s01 = vec4<f32>(); var s11 = vec4<f32>(); var s21 = vec4<f32>(); var s31 = vec4<f32>();
  var s02 = vec4<f32>(); var s12 = vec4<f32>(); var s22 = vec4<f32>(); var s32 = vec4<f32>();
  var s03 = vec4<f32>(); var s13 = vec4<f32>(); var s23 = vec4<f32>(); var s33 = vec4<f32>();
  var s04 = vec4<f32>(); var s14 = vec4<f32>(); var s24 = vec4<f32>(); var s34 = vec4<f32>();
  var s05 = vec4<f32>(); var s15 = vec4<f32>(); var s25 = vec4<f32>(); var s35 = vec4<f32>();
  var s06 = vec4<f32>(); var s16 = vec4<f32>(); var s26 = vec4<f32>(); var s36 = vec4<f32>();
  var s07 = vec4<f32>(); var s17 = vec4<f32>(); var s27 = vec4<f32>(); var s37 = vec4<f32>();
  for (var chunk = 0u; chunk * 8u < blocks; chunk++) {
    let scale = chunk_scale(chunk, own, blocks);
    let end = min(chunk * 8u + 8u, blocks);
    for (var k = chunk * 8u; k < end; k++) {
      let a0 = x[x0 + k]; let a1 = x[x1 + k]; let a2 = x[x2 + k]; let a3 = x[x3 + k];
      let block = load_block(k, own, blocks, scale);
      let w0 = row0(block); let w1 = row1(block);
      let w2 = row2(block); let w3 = row3(block);
      let m0 = mat4x4<f32>(
        subgroupBroadcast(w0, 0u), subgroupBroadcast(w1, 0u), subgroupBroadcast(w2, 0u), subgroupBroadcast(w3, 0u));
      s00 += m0 * a0; s10 += m0 * a1; s20 += m0 * a2; s30 += m0 * a3;
      let m1 = mat4x4<f32>(
        subgroupBroadcast(w0, 1u), subgroupBroadcast(w1, 1u), subgroupBroadcast(w2, 1u), subgroupBroadcast(w3, 1u));
      s01 += m1 * a0; s11 += m1 * a1; s21 += m1 * a2; s31 += m1 * a3;
      let m2 = mat4x4<f32>(
        subgroupBroadcast(w0, 2u), subgroupBroadcast(w1, 2u), subgroupBroadcast(w2, 2u), subgroupBroadcast(w3, 2u));
      s02 += m2 * a0; s12 += m2 * a1; s22 += m2 * a2; s32 += m2 * a3;
      let m3 = mat4x4<f32>(
        subgroupBroadcast(w0, 3u), subgroupBroadcast(w1, 3u), subgroupBroadcast(w2, 3u), subgroupBroadcast(w3, 3u));
      s03 += m3 * a0; s13 += m3 * a1; s23 += m3 * a2; s33 += m3 * a3;
      let m4 = mat4x4<f32>(
        subgroupBroadcast(w0, 4u), subgroupBroadcast(w1, 4u), subgroupBroadcast(w2, 4u), subgroupBroadcast(w3, 4u));
      s04 += m4 * a0; s14 += m4 * a1; s24 += m4 * a2; s34 += m4 * a3;
      let m5 = mat4x4<f32>(
        subgroupBroadcast(w0, 5u), subgroupBroadcast(w1, 5u), subgroupBroadcast(w2, 5u), subgroupBroadcast(w3, 5u));
      s05 += m5 * a0; s15 += m5 * a1; s25 += m5 * a2; s35 += m5 * a3;
      let m6 = mat4x4<f32>(
        subgroupBroadcast(w0, 6u), subgroupBroadcast(w1, 6u), subgroupBroadcast(w2, 6u), subgroupBroadcast(w3, 6u));
      s06 += m6 * a0; s16 += m6 * a1; s26 += m6 * a2; s36 += m6 * a3;
      let m7 = mat4x4<f32>(
        subgroupBroadcast(w0, 7u), subgroupBroadcast(w1, 7u), subgroupBroadcast(w2, 7u), subgroupBroadcast(w3, 7u));
      s07 += m7 * a0; s17 += m7 * a1; s27 += m7 * a2; s37 += m7 * a3;
    }
  }
  // A loop: 128 copies of the GELU take lavapipe 20 s to compile.
  var sums = array<vec4<f32>, 32>(
    s00, s01, s02, s03, s04, s05, s06, s07,
    s10, s11, s12, s13, s14, s15, s16, s17,
    s20, s21, s22, s23, s24, s25, s26, s27,
    s30, s31, s32, s33, s34, s35, s36, s37,
  );
  for (var i = 0u; i < 32u; i++) {
    let y_row = row + i / 8u * 8u;
    let y_group = group + i % 8u;
    if (y_row < params.rows && y_group < params.first_group + params.groups) { store(y_row, y_group, sums[i]); }
  }
}
