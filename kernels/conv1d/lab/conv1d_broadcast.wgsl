// y[t, o] = bias[o] + sum_{j, i} x[row(t, j), i] * W[j, i, o], then y +=, then ELU (rows.wgsl); unrolled: sFG = frame 8 F, group G.
// Lab, the rung between tile and wide: a tile of 4 frames by 16 channels for subgroups of four lanes. lavapipe runs a load as
// some twenty instructions and a broadcast as one: a step of four input channels takes 8 loads for 256 products (tile: 48 for
// 128). With vectors of 128 bits (LP_NATIVE_VECTOR_WIDTH=128) 0.4 to 1.1 of tile's time; no adapter measured has only those.
// Layout: x [length, inner/4] of vec4
//   weight: rows.wgsl; bias, y: store.wgsl
// Lanes past the last frame or group repeat the last: a broadcast from a lane that left is undefined.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let groups = (params.columns + 3u) / 4u;
  let tiles = (groups + 3u) / 4u;
  let tile = workgroup.y * workgroups.x + workgroup.x;
  let group = tile % tiles * 4u;
  let frame = tile / tiles * 32u + local;
  let blocks = params.inner / 4u;
  var s00 = vec4<f32>(); var s01 = vec4<f32>(); var s02 = vec4<f32>(); var s03 = vec4<f32>();
  var s10 = vec4<f32>(); var s11 = vec4<f32>(); var s12 = vec4<f32>(); var s13 = vec4<f32>();
  var s20 = vec4<f32>(); var s21 = vec4<f32>(); var s22 = vec4<f32>(); var s23 = vec4<f32>();
  var s30 = vec4<f32>(); var s31 = vec4<f32>(); var s32 = vec4<f32>(); var s33 = vec4<f32>();
  var w_index = min(group + (lane & 3u), groups - 1u);
  for (var tap = 0u; tap < params.taps; tap++) {
    let r0 = source(frame, tap); let r1 = source(frame + 8u, tap);
    let r2 = source(frame + 16u, tap); let r3 = source(frame + 24u, tap);
    for (var i = 0u; i < blocks; i++) {
      let a0 = r0.counts * x[r0.first / 4u + i]; let a1 = r1.counts * x[r1.first / 4u + i];
      let a2 = r2.counts * x[r2.first / 4u + i]; let a3 = r3.counts * x[r3.first / 4u + i];
      let w0 = unpack_weight(weight[w_index]);
      w_index += groups;
      let w00 = subgroupBroadcast(w0, 0u);
      s00 += a0.x * w00; s10 += a1.x * w00; s20 += a2.x * w00; s30 += a3.x * w00;
      let w01 = subgroupBroadcast(w0, 1u);
      s01 += a0.x * w01; s11 += a1.x * w01; s21 += a2.x * w01; s31 += a3.x * w01;
      let w02 = subgroupBroadcast(w0, 2u);
      s02 += a0.x * w02; s12 += a1.x * w02; s22 += a2.x * w02; s32 += a3.x * w02;
      let w03 = subgroupBroadcast(w0, 3u);
      s03 += a0.x * w03; s13 += a1.x * w03; s23 += a2.x * w03; s33 += a3.x * w03;
      let w1 = unpack_weight(weight[w_index]);
      w_index += groups;
      let w10 = subgroupBroadcast(w1, 0u);
      s00 += a0.y * w10; s10 += a1.y * w10; s20 += a2.y * w10; s30 += a3.y * w10;
      let w11 = subgroupBroadcast(w1, 1u);
      s01 += a0.y * w11; s11 += a1.y * w11; s21 += a2.y * w11; s31 += a3.y * w11;
      let w12 = subgroupBroadcast(w1, 2u);
      s02 += a0.y * w12; s12 += a1.y * w12; s22 += a2.y * w12; s32 += a3.y * w12;
      let w13 = subgroupBroadcast(w1, 3u);
      s03 += a0.y * w13; s13 += a1.y * w13; s23 += a2.y * w13; s33 += a3.y * w13;
      let w2 = unpack_weight(weight[w_index]);
      w_index += groups;
      let w20 = subgroupBroadcast(w2, 0u);
      s00 += a0.z * w20; s10 += a1.z * w20; s20 += a2.z * w20; s30 += a3.z * w20;
      let w21 = subgroupBroadcast(w2, 1u);
      s01 += a0.z * w21; s11 += a1.z * w21; s21 += a2.z * w21; s31 += a3.z * w21;
      let w22 = subgroupBroadcast(w2, 2u);
      s02 += a0.z * w22; s12 += a1.z * w22; s22 += a2.z * w22; s32 += a3.z * w22;
      let w23 = subgroupBroadcast(w2, 3u);
      s03 += a0.z * w23; s13 += a1.z * w23; s23 += a2.z * w23; s33 += a3.z * w23;
      let w3 = unpack_weight(weight[w_index]);
      w_index += groups;
      let w30 = subgroupBroadcast(w3, 0u);
      s00 += a0.w * w30; s10 += a1.w * w30; s20 += a2.w * w30; s30 += a3.w * w30;
      let w31 = subgroupBroadcast(w3, 1u);
      s01 += a0.w * w31; s11 += a1.w * w31; s21 += a2.w * w31; s31 += a3.w * w31;
      let w32 = subgroupBroadcast(w3, 2u);
      s02 += a0.w * w32; s12 += a1.w * w32; s22 += a2.w * w32; s32 += a3.w * w32;
      let w33 = subgroupBroadcast(w3, 3u);
      s03 += a0.w * w33; s13 += a1.w * w33; s23 += a2.w * w33; s33 += a3.w * w33;
    }
  }
  // A loop: 64 copies of the ELU take lavapipe seconds to compile.
  var sums = array<vec4<f32>, 16>(
    s00, s01, s02, s03,
    s10, s11, s12, s13,
    s20, s21, s22, s23,
    s30, s31, s32, s33,
  );
  for (var i = 0u; i < 16u; i++) { store(frame + i / 4u * 8u, group + i % 4u, sums[i]); }
}
