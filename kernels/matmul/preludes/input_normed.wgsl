// input(k) = (x - mean) / sqrt(var + eps) * norm_weight + norm_bias: the input of matmul_gemv.wgsl behind a layer norm.
// Every workgroup normalises the row for itself, once, into workgroup memory: a dispatch of its own costs more than these few
// thousand operations. 32 lanes take mean and squared deviations of a share each and merge them (Chan et al. 1979): two barriers
// instead of the four of a second pass over the row, and no term cancels as E[x^2] - E[x]^2 would.
// Layout: normed_bindings.wgsl; inner <= 2048

// Lanes of matmul_gemv.wgsl: more than without a norm, so that fewer workgroups normalise the row.
const lanes = 64u;
struct Lane { @builtin(local_invocation_index) index: u32 }

var<workgroup> normed: array<vec4<f32>, 512>;
// For each lane the mean of its values (less `shift`), and the sum of squared deviations from it.
var<workgroup> shares: array<vec2<f32>, 32>;

// How many of the blocks of a row fall to a lane.
fn share_of(lane: u32, blocks: u32) -> f32 { return f32((blocks + 31u - lane) / 32u); }

// Every lane calls it; there are 32 or more.
fn prepare_input(first: u32, blocks: u32, lane: Lane, lanes: u32) {
  // Sums near zero keep digits that sums of values far from zero round away. The middle of three: one value may be
  // thousands of times the others, and to subtract that one would round their digits away.
  let shift = middle(x[first]);
  // Pass 1: mean and squared deviations of each share.
  if (lane.index < 32u) {
    var sum = vec4<f32>();
    for (var k = lane.index; k < blocks; k += 32u) { sum += x[first + k] - shift; }
    let mean = sum_of(sum) / max(4.0 * share_of(lane.index, blocks), 1.0);
    var squares = vec4<f32>();
    for (var k = lane.index; k < blocks; k += 32u) {
      let difference = x[first + k] - shift - mean;
      squares += difference * difference;
    }
    shares[lane.index] = vec2<f32>(mean, sum_of(squares));
  }
  workgroupBarrier();
  // Pass 2: merge the shares.
  var mean = 0.0;
  for (var i = 0u; i < 32u; i++) { mean += shares[i].x * share_of(i, blocks) / f32(blocks); }
  var variance = 0.0;
  for (var i = 0u; i < 32u; i++) {
    let share = shares[i];
    let difference = share.x - mean;
    variance += share.y / f32(params.inner) + difference * difference * share_of(i, blocks) / f32(blocks);
  }
  let scale = inverseSqrt(variance + norm_eps);
  // Pass 3: normalise.
  for (var k = lane.index; k < blocks; k += lanes) {
    var value = (x[first + k] - shift - mean) * scale * norm_weight[k];
    if (params.has_norm_bias != 0u) { value += norm_bias[k]; }
    normed[k] = value;
  }
  workgroupBarrier();
}

// Values 4 k to 4 k + 3 of the prepared row.
fn input(first: u32, k: u32) -> vec4<f32> { return normed[k]; }
