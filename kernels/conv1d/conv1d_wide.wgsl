// y[t, o] = bias[o] + sum_{j, i} x[row(t, j), i] * W[j, i, o], then y +=, then ELU (rows.wgsl); unrolled: sFG = frame 8 F, group G.
// For lavapipe with subgroups of eight lanes and multiples of four channels: register tile of 32 frames by 32 channels, lanes
// along frames. lavapipe loads value by value, some eight instructions each, but broadcasts and multiplies all lanes in one: lane
// g of eight loads the weights of group g for all, 8 loads for 512 products in a step of four input channels.
// Layout: weight: rows.wgsl; x, bias, y: vec4.wgsl
// Four products are summed before they meet an accumulator, which lies in memory. Lanes past the last frame or group repeat the
// last: a broadcast from a lane that left is undefined.
@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let groups = params.columns / 4u;
  let tiles = (groups + 7u) / 8u;
  let tile = workgroup.y * workgroups.x + workgroup.x;
  let group = tile % tiles * 8u;
  let frame = tile / tiles * 32u + local;
  let blocks = params.inner / 4u;
  let own = min(group + (lane & 7u), groups - 1u);
  var b = vec4<f32>();
  if (params.has_bias != 0u) { b = bias[own]; }
  var s00 = subgroupBroadcast(b, 0u); var s10 = s00; var s20 = s00; var s30 = s00;
  var s01 = subgroupBroadcast(b, 1u); var s11 = s01; var s21 = s01; var s31 = s01;
  var s02 = subgroupBroadcast(b, 2u); var s12 = s02; var s22 = s02; var s32 = s02;
  var s03 = subgroupBroadcast(b, 3u); var s13 = s03; var s23 = s03; var s33 = s03;
  var s04 = subgroupBroadcast(b, 4u); var s14 = s04; var s24 = s04; var s34 = s04;
  var s05 = subgroupBroadcast(b, 5u); var s15 = s05; var s25 = s05; var s35 = s05;
  var s06 = subgroupBroadcast(b, 6u); var s16 = s06; var s26 = s06; var s36 = s06;
  var s07 = subgroupBroadcast(b, 7u); var s17 = s07; var s27 = s07; var s37 = s07;
  var w_index = own;
  for (var tap = 0u; tap < params.taps; tap++) {
    let r0 = source(frame, tap); let r1 = source(frame + 8u, tap);
    let r2 = source(frame + 16u, tap); let r3 = source(frame + 24u, tap);
    for (var i = 0u; i < blocks; i++) {
      let a0 = load(r0, i); let a1 = load(r1, i); let a2 = load(r2, i); let a3 = load(r3, i);
      let w0 = unpack_weight(weight[w_index]); let w1 = unpack_weight(weight[w_index + groups]);
      let w2 = unpack_weight(weight[w_index + 2u * groups]); let w3 = unpack_weight(weight[w_index + 3u * groups]);
      w_index += 4u * groups;
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
  // Two loops, since Mesa unrolls one of 32 rounds: 128 copies of the ELU take lavapipe 4 s to compile.
  var sums = array<vec4<f32>, 32>(
    s00, s01, s02, s03, s04, s05, s06, s07,
    s10, s11, s12, s13, s14, s15, s16, s17,
    s20, s21, s22, s23, s24, s25, s26, s27,
    s30, s31, s32, s33, s34, s35, s36, s37,
  );
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 8u; j++) { store(frame + i * 8u, group + j, sums[i * 8u + j]); }
  }
}
