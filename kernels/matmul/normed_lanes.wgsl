// The input of gemv_lanes.wgsl: x through a layer normalisation, without the barriers of normed_input.wgsl, at which
// lavapipe and SwiftShader split a shader so that what follows takes 1.5 to 2 times as long.
// Every subgroup takes the mean and the variance of the row for itself, in two passes (E[x^2] - E[x]^2 cancels), which is a
// twentieth of its loads. x, norm_weight, norm_bias: [inner/4] of vec4.

// Of a row: what is taken off every value, then the mean of what is left, and what the rest is multiplied by.
struct Prepared { shift: f32, mean: f32, scale: f32 }

fn prepare_input(first: u32, blocks: u32, lane: u32, lanes: u32) -> Prepared {
  // Sums near zero keep the digits that sums of values far from zero round away; the middle of three, because one value
  // may be thousands of times the others, and taking that off them would round their digits away.
  let shift = middle(x[first]);
  var total = vec4<f32>();
  for (var k = lane; k < blocks; k += lanes) { total += x[first + k] - shift; }
  let mean = subgroupAdd(sum_of(total)) / f32(params.inner);
  var squares = vec4<f32>();
  for (var k = lane; k < blocks; k += lanes) {
    let difference = x[first + k] - shift - mean;
    squares += difference * difference;
  }
  let scale = inverseSqrt(subgroupAdd(sum_of(squares)) / f32(params.inner) + norm_eps);
  return Prepared(shift, mean, scale);
}

// Values 4 k to 4 k + 3 of the row.
fn input(first: u32, k: u32, row: Prepared) -> vec4<f32> {
  var value = (x[first + k] - row.shift - row.mean) * row.scale * norm_weight[k];
  if (params.has_norm_bias != 0u) { value += norm_bias[k]; }
  return value;
}
