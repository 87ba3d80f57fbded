// y = (x - mean) / sqrt(var + eps) * weight + bias over the last axis; one invocation a row, no barriers: for software
// adapters. Two passes over the row, for the reason told in layernorm.wgsl.
// x, y: [rows, width]; weight, bias: [width].
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
  var sum = 0.0;
  for (var i = 0u; i < params.width; i++) { sum += x[row + i]; }
  let mean = sum / f32(params.width);
  // One lane's sum of 1000 values near 8192 is off by several units of their spacing; the second pass takes it out again.
  var squares = 0.0;
  var rest = 0.0;
  for (var i = 0u; i < params.width; i++) {
    let difference = x[row + i] - mean;
    squares += difference * difference;
    rest += difference;
  }
  rest /= f32(params.width);
  let scale = inverseSqrt(max(squares / f32(params.width) - rest * rest, 0.0) + params.eps);
  for (var i = 0u; i < params.width; i++) {
    var value = (x[row + i] - mean - rest) * scale * weight[i];
    if (params.has_bias != 0u) { value += bias[i]; }
    y[row + i] = value;
  }
}
