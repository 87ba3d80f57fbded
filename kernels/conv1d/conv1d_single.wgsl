// y[t] = bias + sum_{j, i} x[row(t, j), i] * W[j, i], then y +=, then ELU (rows.wgsl): one output channel, up to seven taps.
// For software adapters, at the end of EnCodec's decoder: an invocation owns 16 neighbouring frames and loads the 22 rows that
// they see once, not once a tap, since a load costs such adapters many times a product. The rows slide past: at tap j, a0 to a15
// are what the frames see, and the next tap needs one row more.
// Layout: x [length, inner/4] of vec4
//   weight: rows.wgsl, one output channel: [taps * inner] of Weight4, of which x counts
//   bias [1]; y [frames], without the first `skip`
// Mesa would unroll loops of 15 loads whose end it knows: 3 s of compiling instead of 0.2.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// Four channels of a row; past the last row that a frame sees any row will do.
fn load(position: u32, block: u32) -> vec4<f32> {
  let row = row_at(position);
  return row.counts * x[row.first / 4u + block];
}

// Four weights of a tap.
fn weights(tap: u32, block: u32) -> vec4<f32> {
  let first = tap * params.inner + block * 4u;
  return vec4<f32>(
    unpack_weight(weight[first]).x, unpack_weight(weight[first + 1u]).x,
    unpack_weight(weight[first + 2u]).x, unpack_weight(weight[first + 3u]).x);
}

// The four sums of a frame, one for every fourth channel, meet here.
fn finish(frame: u32, first: f32, sums: vec4<f32>) {
  let index = frame - params.skip; // Wraps around, past `size`, for what is skipped.
  if (frame >= params.frames || index >= params.size) { return; }
  var value = first + (sums.x + sums.y) + (sums.z + sums.w);
  if (params.accumulate != 0u) { value += y[index]; }
  if (params.elu != 0u) { value = elu(value); }
  y[index] = value;
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let frame = ((workgroup.y * workgroups.x + workgroup.x) * 8u + local) * 16u;
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
  var s4 = vec4<f32>(); var s5 = vec4<f32>(); var s6 = vec4<f32>(); var s7 = vec4<f32>();
  var s8 = vec4<f32>(); var s9 = vec4<f32>(); var s10 = vec4<f32>(); var s11 = vec4<f32>();
  var s12 = vec4<f32>(); var s13 = vec4<f32>(); var s14 = vec4<f32>(); var s15 = vec4<f32>();
  var b = 0.0;
  if (params.has_bias != 0u) { b = bias[0]; }
  // The stride is 1, but Mesa does not know it and so does not unroll the loops over 15 rows.
  let ahead = 15u * params.stride;
  for (var i = 0u; i < params.inner / 4u; i++) {
    var a0 = vec4<f32>(); var a1 = vec4<f32>(); var a2 = vec4<f32>(); var a3 = vec4<f32>();
    var a4 = vec4<f32>(); var a5 = vec4<f32>(); var a6 = vec4<f32>(); var a7 = vec4<f32>();
    var a8 = vec4<f32>(); var a9 = vec4<f32>(); var a10 = vec4<f32>(); var a11 = vec4<f32>();
    var a12 = vec4<f32>(); var a13 = vec4<f32>(); var a14 = vec4<f32>(); var a15 = vec4<f32>();
    for (var row = 0u; row < ahead; row++) {
      a0 = a1; a1 = a2; a2 = a3; a3 = a4; a4 = a5; a5 = a6; a6 = a7; a7 = a8;
      a8 = a9; a9 = a10; a10 = a11; a11 = a12; a12 = a13; a13 = a14; a14 = a15;
      a15 = load(frame + row, i);
    }
    for (var tap = 0u; tap < params.taps; tap++) {
      a0 = a1; a1 = a2; a2 = a3; a3 = a4; a4 = a5; a5 = a6; a6 = a7; a7 = a8;
      a8 = a9; a9 = a10; a10 = a11; a11 = a12; a12 = a13; a13 = a14; a14 = a15;
      a15 = load(frame + ahead + tap, i);
      let w = weights(tap, i);
      s0 += w * a0; s1 += w * a1; s2 += w * a2; s3 += w * a3;
      s4 += w * a4; s5 += w * a5; s6 += w * a6; s7 += w * a7;
      s8 += w * a8; s9 += w * a9; s10 += w * a10; s11 += w * a11;
      s12 += w * a12; s13 += w * a13; s14 += w * a14; s15 += w * a15;
    }
  }
  // A loop: 16 copies of the ELU take lavapipe a second to compile.
  var sums = array<vec4<f32>, 16>(
    s0, s1, s2, s3, s4, s5, s6, s7,
    s8, s9, s10, s11, s12, s13, s14, s15,
  );
  for (var k = 0u; k < ahead + 1u; k++) { finish(frame + k, b, sums[k]); }
}
