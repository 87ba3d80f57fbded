// The input of a GEMV: x through a layer normalisation, which every workgroup computes for itself, once, into workgroup
// memory: a dispatch of its own costs more than these few thousand operations. The formula is that of
// kernels/layernorm: two passes over the row, because E[x^2] - E[x]^2 cancels. x: [rows, inner], inner <= 2048.
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<Weight4>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> norm_weight: array<f32>;
@group(0) @binding(4) var<storage, read> norm_bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

const norm_eps = 1e-5;
var<workgroup> normed: array<f32, 2048>;
var<workgroup> lane_sums: array<f32, 256>;

// The sum of a value over all lanes, in two levels. `lanes` is a multiple of 16.
fn sum_over_lanes(lane: u32, lanes: u32, value: f32) -> f32 {
  lane_sums[lane] = value;
  workgroupBarrier();
  if (lane % 16u == 0u) {
    var sum = value;
    for (var i = 1u; i < 16u; i++) { sum += lane_sums[lane + i]; }
    lane_sums[lane] = sum;
  }
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < lanes; i += 16u) { total += lane_sums[i]; }
  workgroupBarrier();
  return total;
}

// To be called by every lane.
fn prepare_input(row: u32, lane: u32, lanes: u32) {
  let first = (params.first_row + row) * params.inner;
  var sum = 0.0;
  for (var k = lane; k < params.inner; k += lanes) { sum += x[first + k]; }
  let mean = sum_over_lanes(lane, lanes, sum) / f32(params.inner);
  var squares = 0.0;
  for (var k = lane; k < params.inner; k += lanes) {
    let difference = x[first + k] - mean;
    squares += difference * difference;
  }
  let scale = inverseSqrt(sum_over_lanes(lane, lanes, squares) / f32(params.inner) + norm_eps);
  for (var k = lane; k < params.inner; k += lanes) {
    var value = (x[first + k] - mean) * scale * norm_weight[k];
    if (params.has_norm_bias != 0u) { value += norm_bias[k]; }
    normed[k] = value;
  }
  workgroupBarrier();
}

// Value k of the row that was prepared.
fn input(first: u32, k: u32) -> f32 { return normed[k]; }
