// input(k) = (x - mean) / sqrt(var + eps) * norm_weight + norm_bias: the input of matmul_gemv_shuffle.wgsl behind a layer norm.
// Every subgroup takes mean and variance in one pass, without a barrier: at one, lavapipe and SwiftShader split a shader, and what
// follows takes 1.5 to 2 times as long. var = E[d^2] - E[d]^2 of d = x - shift.
// Layout: normed_bindings.wgsl
// What cancels in var costs E[d]^2 / var roundings, so the shift must be near the mean: it is the mean of the lanes' middles of
// three values. A middle lies far from the mean only if two values do, each of which adds distance^2 / inner to var: inner / (2
// lanes) roundings at the very worst, about one as a rule.

// A row becomes (x - shift - mean) * scale.
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
