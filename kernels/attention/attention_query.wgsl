// y[i, h] = sum_j softmax_j(q[i, h] . k[j, h] * scale) v[j, h]: many queries, causal or not, an optional mask over keys.
// The plainest version, for heads of any width: an invocation owns one query of one head and up to 64 of its values (wider
// heads repeat the scores); eight keys share a load of q. Online softmax (Milakov & Gimelshein 2018): no score is stored.
// Layout: q [queries, q_stride], row 0 at element q_first
//   k [keys, k_stride], v [keys, v_stride], likewise
//   mask [keys], 0 = masked
//   y [queries, heads * head_dim], query 0 at element y_first
// A key masked once scores the lowest finite f32, as in PyTorch, so a row that sees no key weighs such keys evenly and holds no
// NaN; a key masked twice (mask and causality) never counts. No infinities: WGSL may assume that no value is infinite.
@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read> v: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

const lowest = -3.4028234e38;
const chunk = 64u;

// 0: visible; 1: masked once; 2: masked twice, or past the last key.
fn masked(query: u32, key: u32) -> u32 {
  if (key >= params.keys) { return 2u; }
  var times = 0u;
  if (params.causal != 0u && key > params.past + query) { times = 1u; }
  if (params.has_mask != 0u) { times += select(0u, 1u, mask[key] == 0u); }
  return times;
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let query = workgroup.x * 32u + local;
  let head = workgroup.y;
  let first_dim = workgroup.z * chunk;
  if (query >= params.queries) { return; }
  let dims = min(chunk, params.head_dim - first_dim);
  let q_row = params.q_first + query * params.q_stride + head * params.head_dim;
  let k_head = params.k_first + head * params.head_dim;
  let v_head = params.v_first + head * params.head_dim + first_dim;
  // Without a mask the keys after the query weigh nothing; with one they may be all that is left.
  let end = select(params.keys, min(params.keys, params.past + query + 1u), params.causal != 0u && params.has_mask == 0u);

  var maximum = lowest;
  var total = 0.0;
  var sum: array<f32, 64>;
  for (var d = 0u; d < dims; d++) { sum[d] = 0.0; }
  for (var key = 0u; key < end; key += 8u) {
    // Scores of eight keys.
    let last = end - 1u;
    let k0 = k_head + key * params.k_stride;
    let k1 = k_head + min(key + 1u, last) * params.k_stride;
    let k2 = k_head + min(key + 2u, last) * params.k_stride;
    let k3 = k_head + min(key + 3u, last) * params.k_stride;
    let k4 = k_head + min(key + 4u, last) * params.k_stride;
    let k5 = k_head + min(key + 5u, last) * params.k_stride;
    let k6 = k_head + min(key + 6u, last) * params.k_stride;
    let k7 = k_head + min(key + 7u, last) * params.k_stride;
    var a = vec4<f32>();
    var b = vec4<f32>();
    for (var d = 0u; d < params.head_dim; d++) {
      let value = q[q_row + d];
      a += value * vec4<f32>(k[k0 + d], k[k1 + d], k[k2 + d], k[k3 + d]);
      b += value * vec4<f32>(k[k4 + d], k[k5 + d], k[k6 + d], k[k7 + d]);
    }
    var scores = array<f32, 8>(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w);
    var new_maximum = maximum;
    for (var i = 0u; i < 8u; i++) {
      let level = select(masked(query, key + i), 2u, key + i > last);
      scores[i] = select(lowest, scores[i] * params.scale, level == 0u);
      if (level < 2u) { new_maximum = max(new_maximum, scores[i]); }
    }
    // Weights.
    let correction = exp(maximum - new_maximum);
    maximum = new_maximum;
    total *= correction;
    for (var i = 0u; i < 8u; i++) {
      let counts = key + i <= last && masked(query, key + i) < 2u;
      scores[i] = select(0.0, exp(scores[i] - maximum), counts);
      total += scores[i];
    }
    // The weighted sum.
    let v0 = v_head + key * params.v_stride;
    let v1 = v_head + min(key + 1u, last) * params.v_stride;
    let v2 = v_head + min(key + 2u, last) * params.v_stride;
    let v3 = v_head + min(key + 3u, last) * params.v_stride;
    let v4 = v_head + min(key + 4u, last) * params.v_stride;
    let v5 = v_head + min(key + 5u, last) * params.v_stride;
    let v6 = v_head + min(key + 6u, last) * params.v_stride;
    let v7 = v_head + min(key + 7u, last) * params.v_stride;
    for (var d = 0u; d < dims; d++) {
      sum[d] = sum[d] * correction
        + scores[0] * v[v0 + d] + scores[1] * v[v1 + d] + scores[2] * v[v2 + d] + scores[3] * v[v3 + d]
        + scores[4] * v[v4 + d] + scores[5] * v[v5 + d] + scores[6] * v[v6 + d] + scores[7] * v[v7 + d];
    }
  }
  let y_row = params.y_first + (query * params.heads + head) * params.head_dim + first_dim;
  for (var d = 0u; d < dims; d++) { y[y_row + d] = sum[d] / total; }
}
