// y = (x - mean) / sqrt(var + eps) * weight + bias over the last axis (Ba et al. 2016), for software adapters: one invocation a
// row and no barrier, at which they would switch every lane. Loads of four values take half the time of single ones.
// Layout: x [rows, width/4] of vec4
//   weight, bias [width/4] of vec4, the bias read if has_bias
//   y [rows, width/4] of vec4
// Two passes: E[x^2] - E[x]^2 cancels when |mean| >> std. One lane's sums of 200 values near 8192 are off by several units of
// their spacing; the second pass takes that out again.
struct Params { rows: u32, width: u32, eps: f32, has_bias: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

fn sum_of(v: vec4<f32>) -> f32 { return v.x + v.y + v.z + v.w; }

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  if (global.x >= params.rows) { return; }
  let quads = params.width / 4u;
  let row = global.x * quads;
  // Pass 1: mean.
  var sum = vec4<f32>();
  for (var i = 0u; i < quads; i++) { sum += x[row + i]; }
  let mean = sum_of(sum) / f32(params.width);
  // Pass 2: variance, and `rest`, the error of the mean.
  var squares = vec4<f32>();
  var rests = vec4<f32>();
  for (var i = 0u; i < quads; i++) {
    let difference = x[row + i] - mean;
    squares += difference * difference;
    rests += difference;
  }
  let rest = sum_of(rests) / f32(params.width);
  let scale = inverseSqrt(max(sum_of(squares) / f32(params.width) - rest * rest, 0.0) + params.eps);
  // Pass 3: normalise.
  for (var i = 0u; i < quads; i++) {
    var value = (x[row + i] - mean - rest) * scale * weight[i];
    if (params.has_bias != 0u) { value += bias[i]; }
    y[row + i] = value;
  }
}
