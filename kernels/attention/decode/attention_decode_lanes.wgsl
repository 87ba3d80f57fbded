// Appends a token's k and v to the cache, then y[h] = sum_j softmax_j(q[h] . k_cache[j, h] * scale) v_cache[j, h].
// The plainest version, for heads of any width and caches of any capacity: 64 lanes a head of a row, scores in storage. Lanes
// share out the keys, then the values. Every lane adds up all 64 partial results: two barriers instead of a tree's six.
// Layout: qkv [rows, 3 * width], width = heads * head_dim
//   state [rows, 4] = token, position, step, done: the host writes nothing from token to token
//   k_cache, v_cache [rows, capacity, width]
//   scores [rows, heads, capacity], scratch
//   y [rows, width]
// Append and read fit in one dispatch, since no other workgroup touches a head's part of the cache: a storage barrier parts them.
struct Params { rows: u32, heads: u32, head_dim: u32, capacity: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> k_cache: array<f32>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<f32>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

const lanes = 64u;
var<workgroup> partial: array<f32, lanes>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let head = workgroup.x;
  let row = workgroup.y;
  let head_dim = params.head_dim;
  let width = params.heads * head_dim;
  // A row past the end of the cache stays on the last slot; its tokens are dropped.
  let position = min(state[row * 4u + 1u], params.capacity - 1u);
  let keys = position + 1u;
  let q_head = row * 3u * width + head * head_dim;
  let cache_head = row * params.capacity * width + head * head_dim;
  let scores_head = (row * params.heads + head) * params.capacity;

  // Append.
  for (var d = local; d < head_dim; d += lanes) {
    k_cache[cache_head + position * width + d] = qkv[q_head + width + d];
    v_cache[cache_head + position * width + d] = qkv[q_head + 2u * width + d];
  }
  storageBarrier();

  // Pass 1: scores.
  var maximum = -3.4028234e38;
  for (var key = local; key < keys; key += lanes) {
    let k_row = cache_head + key * width;
    var dot = 0.0;
    for (var d = 0u; d < head_dim; d++) { dot += qkv[q_head + d] * k_cache[k_row + d]; }
    let score = dot * params.scale;
    scores[scores_head + key] = score;
    maximum = max(maximum, score);
  }
  partial[local] = maximum;
  workgroupBarrier();
  for (var i = 0u; i < lanes; i++) { maximum = max(maximum, partial[i]); }
  workgroupBarrier();

  // Pass 2: weights.
  var sum = 0.0;
  for (var key = local; key < keys; key += lanes) {
    let weight = exp(scores[scores_head + key] - maximum);
    scores[scores_head + key] = weight;
    sum += weight;
  }
  partial[local] = sum;
  storageBarrier();
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < lanes; i++) { total += partial[i]; }

  // Pass 3: the weighted sum.
  for (var d = local; d < head_dim; d += lanes) {
    var value = 0.0;
    for (var key = 0u; key < keys; key++) {
      value += scores[scores_head + key] * v_cache[cache_head + key * width + d];
    }
    y[row * width + head * head_dim + d] = value / total;
  }
}
