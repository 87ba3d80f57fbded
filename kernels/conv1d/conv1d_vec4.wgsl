// y[t, o] = bias[o] + sum_{j, i} x[row(t, j), i] * W[j, i, o], then y +=, then ELU (rows.wgsl); unrolled: aF, bF = frame F.
// For SwiftShader and multiples of four channels: an invocation owns 16 frames by 8 output channels, and a step of four input
// channels takes 24 loads of vec4 for 512 products (conv1d_tile.wgsl: 36, most of them of one value, for 128). Neighbours share
// the frames. On lavapipe, whose loads become that much code, it gains nothing over conv1d_tile.wgsl.
// Layout: weight: rows.wgsl; x, bias, y: vec4.wgsl
@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let groups = params.columns / 4u;
  let pairs = (groups + 1u) / 2u;
  let index = (workgroup.y * workgroups.x + workgroup.x) * 8u + local;
  let group = index % pairs * 2u;
  let frame = index / pairs * 16u;
  let other = min(group + 1u, groups - 1u);
  var a0 = vec4<f32>(); var b0 = vec4<f32>();
  if (params.has_bias != 0u) { a0 = bias[group]; b0 = bias[other]; }
  var a1 = a0; var b1 = b0;
  var a2 = a0; var b2 = b0;
  var a3 = a0; var b3 = b0;
  var a4 = a0; var b4 = b0;
  var a5 = a0; var b5 = b0;
  var a6 = a0; var b6 = b0;
  var a7 = a0; var b7 = b0;
  var a8 = a0; var b8 = b0;
  var a9 = a0; var b9 = b0;
  var a10 = a0; var b10 = b0;
  var a11 = a0; var b11 = b0;
  var a12 = a0; var b12 = b0;
  var a13 = a0; var b13 = b0;
  var a14 = a0; var b14 = b0;
  var a15 = a0; var b15 = b0;
  var row = 0u;
  for (var tap = 0u; tap < params.taps; tap++) {
    let r0 = source(frame, tap); let r1 = source(frame + 1u, tap);
    let r2 = source(frame + 2u, tap); let r3 = source(frame + 3u, tap);
    let r4 = source(frame + 4u, tap); let r5 = source(frame + 5u, tap);
    let r6 = source(frame + 6u, tap); let r7 = source(frame + 7u, tap);
    let r8 = source(frame + 8u, tap); let r9 = source(frame + 9u, tap);
    let r10 = source(frame + 10u, tap); let r11 = source(frame + 11u, tap);
    let r12 = source(frame + 12u, tap); let r13 = source(frame + 13u, tap);
    let r14 = source(frame + 14u, tap); let r15 = source(frame + 15u, tap);
    for (var i = 0u; i < params.inner / 4u; i++) {
      let a = mat4x4<f32>(
        unpack_weight(weight[row + group]), unpack_weight(weight[row + groups + group]),
        unpack_weight(weight[row + 2u * groups + group]), unpack_weight(weight[row + 3u * groups + group]));
      let b = mat4x4<f32>(
        unpack_weight(weight[row + other]), unpack_weight(weight[row + groups + other]),
        unpack_weight(weight[row + 2u * groups + other]), unpack_weight(weight[row + 3u * groups + other]));
      row += 4u * groups;
      let x0 = load(r0, i); a0 += a * x0; b0 += b * x0;
      let x1 = load(r1, i); a1 += a * x1; b1 += b * x1;
      let x2 = load(r2, i); a2 += a * x2; b2 += b * x2;
      let x3 = load(r3, i); a3 += a * x3; b3 += b * x3;
      let x4 = load(r4, i); a4 += a * x4; b4 += b * x4;
      let x5 = load(r5, i); a5 += a * x5; b5 += b * x5;
      let x6 = load(r6, i); a6 += a * x6; b6 += b * x6;
      let x7 = load(r7, i); a7 += a * x7; b7 += b * x7;
      let x8 = load(r8, i); a8 += a * x8; b8 += b * x8;
      let x9 = load(r9, i); a9 += a * x9; b9 += b * x9;
      let x10 = load(r10, i); a10 += a * x10; b10 += b * x10;
      let x11 = load(r11, i); a11 += a * x11; b11 += b * x11;
      let x12 = load(r12, i); a12 += a * x12; b12 += b * x12;
      let x13 = load(r13, i); a13 += a * x13; b13 += b * x13;
      let x14 = load(r14, i); a14 += a * x14; b14 += b * x14;
      let x15 = load(r15, i); a15 += a * x15; b15 += b * x15;
    }
  }
  // Two loops, since Mesa unrolls one of 32 rounds: 128 copies of the ELU take lavapipe 4 s to compile.
  var sums = array<vec4<f32>, 32>(
    a0, a1, a2, a3, a4, a5, a6, a7,
    a8, a9, a10, a11, a12, a13, a14, a15,
    b0, b1, b2, b3, b4, b5, b6, b7,
    b8, b9, b10, b11, b12, b13, b14, b15,
  );
  for (var i = 0u; i < 2u; i++) {
    for (var j = 0u; j < 16u; j++) { store(frame + j, group + i, sums[i * 16u + j]); }
  }
}
