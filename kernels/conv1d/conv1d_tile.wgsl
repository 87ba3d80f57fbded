// y[t, o] = bias[o] + sum_{j, i} x[row(t, j), i] * W[j, i, o], then y +=, then ELU (rows.wgsl), for any shape.
// Register tile without workgroup memory: an invocation owns 8 frames by 4 output channels. Pairs (tile of frames, group of
// channels) are flattened over the workgroups, channels first: neighbours read neighbouring vec4 of W and the same x, and a
// single output channel wastes no lane.
// Layout: x [length, inner]
//   weight: rows.wgsl; bias, y: store.wgsl
@group(0) @binding(0) var<storage, read> x: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let groups = (params.columns + 3u) / 4u;
  let index = (workgroup.y * workgroups.x + workgroup.x) * 64u + local;
  let group = index % groups;
  let frame = index / groups * 8u;
  if (frame >= params.frames) { return; }
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
  var s4 = vec4<f32>(); var s5 = vec4<f32>(); var s6 = vec4<f32>(); var s7 = vec4<f32>();
  var w_index = group;
  for (var tap = 0u; tap < params.taps; tap++) {
    let r0 = source(frame, tap); let r1 = source(frame + 1u, tap);
    let r2 = source(frame + 2u, tap); let r3 = source(frame + 3u, tap);
    let r4 = source(frame + 4u, tap); let r5 = source(frame + 5u, tap);
    let r6 = source(frame + 6u, tap); let r7 = source(frame + 7u, tap);
    var t0 = vec4<f32>(); var t1 = vec4<f32>(); var t2 = vec4<f32>(); var t3 = vec4<f32>();
    var t4 = vec4<f32>(); var t5 = vec4<f32>(); var t6 = vec4<f32>(); var t7 = vec4<f32>();
    for (var i = 0u; i < params.inner; i++) {
      let w = unpack_weight(weight[w_index]);
      w_index += groups;
      t0 += x[r0.first + i] * w; t1 += x[r1.first + i] * w; t2 += x[r2.first + i] * w; t3 += x[r3.first + i] * w;
      t4 += x[r4.first + i] * w; t5 += x[r5.first + i] * w; t6 += x[r6.first + i] * w; t7 += x[r7.first + i] * w;
    }
    s0 += r0.counts * t0; s1 += r1.counts * t1; s2 += r2.counts * t2; s3 += r3.counts * t3;
    s4 += r4.counts * t4; s5 += r5.counts * t5; s6 += r6.counts * t6; s7 += r7.counts * t7;
  }
  // A loop: 32 copies of the ELU take software adapters seconds to compile.
  var sums = array<vec4<f32>, 8>(
    s0, s1, s2, s3, s4, s5, s6, s7,
  );
  for (var i = 0u; i < 8u; i++) { store(frame + i, group, sums[i]); }
}
