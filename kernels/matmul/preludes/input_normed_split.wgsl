// input(k) = (x - mean) / sqrt(var + eps) * norm_weight + norm_bias: the input of matmul_gemv_split.wgsl behind a layer norm.
// Every workgroup of 256 lanes normalises the row for itself, in two passes over what the lanes hold in registers (two blocks
// each at most). The sums over lanes come from attention/lane_reduce.wgsl: a twin with subgroups took an H100 1.08 times as long.
// Layout: normed_bindings.wgsl; inner <= 2048
var<workgroup> normed: array<vec4<f32>, 512>;

// Block k through the normalisation: `difference` is x less the mean.
fn put(k: u32, difference: vec4<f32>, scale: f32) {
  if (k >= params.inner / 4u) { return; }
  var value = difference * scale * norm_weight[k];
  if (params.has_norm_bias != 0u) { value += norm_bias[k]; }
  normed[k] = value;
}

// All 256 lanes call it; each has two blocks at most.
fn prepare_input(first: u32, blocks: u32, lane: Lane, stride: u32) {
  // Sums near zero keep the digits that sums of values far from zero round away (see input_normed.wgsl).
  let shift = middle(x[first]);
  let near = lane.index;
  let far = lane.index + stride;
  var a = vec4<f32>();
  var b = vec4<f32>();
  if (near < blocks) { a = x[first + near] - shift; }
  if (far < blocks) { b = x[first + far] - shift; }
  // Pass 1: mean.
  let mean = sum_over_lanes(lane, sum_of(a + b)) / f32(params.inner);
  // Pass 2: variance.
  a -= mean;
  b -= mean;
  var squares = vec4<f32>();
  if (near < blocks) { squares = a * a; }
  if (far < blocks) { squares += b * b; }
  let scale = inverseSqrt(sum_over_lanes(lane, sum_of(squares)) / f32(params.inner) + norm_eps);
  // Pass 3: normalise.
  put(near, a, scale);
  put(far, b, scale);
  workgroupBarrier();
}

// Values 4 k to 4 k + 3 of the prepared row.
fn input(first: u32, k: u32) -> vec4<f32> { return normed[k]; }
