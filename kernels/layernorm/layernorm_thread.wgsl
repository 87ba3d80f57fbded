// y = (x - mean) / sqrt(var + eps) * weight + bias over the last axis (Ba et al. 2016), for software adapters: one invocation a
// row and no barrier, at which they would switch every lane.
// Layout: x [rows, width]
//   weight, bias [width], the bias read if has_bias
//   y [rows, width]
// Two passes: E[x^2] - E[x]^2 cancels when |mean| >> std. One lane's sum of 1000 values near 8192 is off by several units of their
// spacing; the second pass takes that out again.
struct Params { rows: u32, width: u32, eps: f32, has_bias: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  if (global.x >= params.rows) { return; }
  let row = global.x * params.width;
  // Pass 1: mean.
  var sum = 0.0;
  for (var i = 0u; i < params.width; i++) { sum += x[row + i]; }
  let mean = sum / f32(params.width);
  // Pass 2: variance, and `rest`, the error of the mean.
  var squares = 0.0;
  var rest = 0.0;
  for (var i = 0u; i < params.width; i++) {
    let difference = x[row + i] - mean;
    squares += difference * difference;
    rest += difference;
  }
  rest /= f32(params.width);
  let scale = inverseSqrt(max(squares / f32(params.width) - rest * rest, 0.0) + params.eps);
  // Pass 3: normalise.
  for (var i = 0u; i < params.width; i++) {
    var value = (x[row + i] - mean - rest) * scale * weight[i];
    if (params.has_bias != 0u) { value += bias[i]; }
    y[row + i] = value;
  }
}
