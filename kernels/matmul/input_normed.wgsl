// The input of a GEMV: x through a layer normalisation, which every workgroup computes for itself, once, into workgroup
// memory: a dispatch of its own costs more than these few thousand operations. x: [rows, inner/4] of vec4, inner <= 2048.
// 32 lanes take the mean and the squared deviations of their share each, and these are merged (Chan et al. 1979): two
// barriers instead of the four of a second pass over the row, and no term cancels as E[x^2] - E[x]^2 would.

// Of gemv.wgsl: more than where nothing is prepared, so that fewer workgroups do it.
const lanes = 64u;
struct Lane { @builtin(local_invocation_index) index: u32 }

var<workgroup> normed: array<vec4<f32>, 512>;
// Of the values of a lane: their mean (less `shift`), and the sum of squared deviations from it.
var<workgroup> shares: array<vec2<f32>, 32>;

// How many of the blocks of a row fall to a lane.
fn share_of(lane: u32, blocks: u32) -> f32 { return f32((blocks + 31u - lane) / 32u); }

// To be called by every lane; there are 32 or more.
fn prepare_input(first: u32, blocks: u32, lane: Lane, lanes: u32) {
  // Sums near zero keep the digits that sums of values far from zero round away; the middle of three, because one value
  // may be thousands of times the others, and taking that off them would round their digits away.
  let shift = middle(x[first]);
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
  var mean = 0.0;
  for (var i = 0u; i < 32u; i++) { mean += shares[i].x * share_of(i, blocks) / f32(blocks); }
  var variance = 0.0;
  for (var i = 0u; i < 32u; i++) {
    let share = shares[i];
    let difference = share.x - mean;
    variance += share.y / f32(params.inner) + difference * difference * share_of(i, blocks) / f32(blocks);
  }
  let scale = inverseSqrt(variance + norm_eps);
  for (var k = lane.index; k < blocks; k += lanes) {
    var value = (x[first + k] - shift - mean) * scale * norm_weight[k];
    if (params.has_norm_bias != 0u) { value += norm_bias[k]; }
    normed[k] = value;
  }
  workgroupBarrier();
}

// Values 4 k to 4 k + 3 of the row that was prepared.
fn input(first: u32, k: u32) -> vec4<f32> { return normed[k]; }
