// The input of gemv_lanes.wgsl: x through a layer normalisation, without the barriers of normed_input.wgsl, at which
// lavapipe and SwiftShader split a shader so that what follows takes 1.5 to 2 times as long.
// Every subgroup takes the mean and the variance of the row for itself, in one pass: E[d^2] - E[d]^2 of d = x - shift. What
// cancels there costs E[d]^2 / variance roundings, so the shift must be near the mean: it is the mean of the lanes' middles of
// three values. A middle lies a distance from the mean only if two values do, each of which adds distance^2 / inner to the
// variance, so that it costs inner / (2 lanes) roundings at the very worst, and about one as a rule.
// x, norm_weight, norm_bias: [inner/4] of vec4.

// Of a row: what is taken off every value, then the mean of what is left, and what the rest is multiplied by.
struct Prepared { shift: f32, mean: f32, scale: f32 }

fn prepare_input(first: u32, blocks: u32, lane: u32, lanes: u32) -> Prepared {
  let shift = subgroupAdd(middle(x[first + min(lane, blocks - 1u)])) / f32(lanes);
  var total = vec4<f32>();
  var squares = vec4<f32>();
  for (var k = lane; k < blocks; k += lanes) {
    let difference = x[first + k] - shift;
    total += difference;
    squares += difference * difference;
  }
  let mean = subgroupAdd(sum_of(total)) / f32(params.inner);
  let variance = subgroupAdd(sum_of(squares)) / f32(params.inner) - mean * mean;
  return Prepared(shift, mean, inverseSqrt(max(variance, 0.0) + norm_eps));
}

// Values 4 k to 4 k + 3 of the row.
fn input(first: u32, k: u32, row: Prepared) -> vec4<f32> {
  var value = (x[first + k] - row.shift - row.mean) * row.scale * norm_weight[k];
  if (params.has_norm_bias != 0u) { value += norm_bias[k]; }
  return value;
}
