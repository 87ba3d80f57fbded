// w[j] = exp(s[j] - max s), in place, and the sum of w in the row's last quad: the second kernel of attention by strips.
// An invocation owns a row, so nothing waits for anything; attention_strips_values.wgsl divides by the sum.
// Layout: mask [keys], 0 = masked
//   scores: strips.wgsl
// A key masked once scores the lowest finite f32, one masked twice (mask and causality) weighs nothing, so that a row that sees
// no key weighs those masked once evenly, as in PyTorch.
@group(0) @binding(0) var<storage, read> mask: array<u32>;
@group(0) @binding(1) var<storage, read_write> scores: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

const lowest = vec4<f32>(-3.4028234e38);

// How often each of four keys is masked for the query at `position`; those past the last key, twice.
fn masked(position: u32, key: u32) -> vec4<u32> {
  let keys = vec4<u32>(key, key + 1u, key + 2u, key + 3u);
  var times = vec4<u32>();
  if (params.causal != 0u) { times = select(times, vec4<u32>(1u), keys > vec4<u32>(position)); }
  if (params.has_mask != 0u) {
    let last = params.keys - 1u;
    let seen = vec4<u32>(mask[key], mask[min(key + 1u, last)], mask[min(key + 2u, last)], mask[min(key + 3u, last)]);
    times += select(vec4<u32>(), vec4<u32>(1u), seen == vec4<u32>());
  }
  return select(times, vec4<u32>(2u), keys >= vec4<u32>(params.keys));
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = workgroup.x * 8u + local;
  if (row >= params.heads * params.queries) { return; }
  let position = params.past + row % params.queries;
  let first = row * row_quads();
  let quads = row_quads() - 1u;
  // Pass 1: the largest score.
  var maximum = lowest;
  for (var i = 0u; i < quads; i++) {
    maximum = max(maximum, select(lowest, scores[first + i], masked(position, 4u * i) == vec4<u32>()));
  }
  let highest = max(max(maximum.x, maximum.y), max(maximum.z, maximum.w));
  // Pass 2: weights and their sum.
  var sum = vec4<f32>();
  for (var i = 0u; i < quads; i++) {
    let times = masked(position, 4u * i);
    let score = select(lowest, scores[first + i], times == vec4<u32>());
    let weight = select(exp(score - highest), vec4<f32>(), times == vec4<u32>(2u));
    scores[first + i] = weight;
    sum += weight;
  }
  scores[first + quads] = vec4<f32>(sum.x + sum.y + sum.z + sum.w);
}
