// Attention of one new token over a KV cache, and the append to that cache. One workgroup a head of a row.
// The row's position comes from the decode state on the GPU, so that nothing is written by the host from token to
// token. A head's workgroup alone reads and writes that head's part of the cache, so appending and reading fit in one
// dispatch: one read_write binding, with a storage barrier between.
// Each lane scores every 64th key; the maximum and the sum are taken by every lane over 64 partial results (two
// barriers each instead of a tree); then each lane owns every 64th output value and walks the keys.
// qkv: [rows, 3 * width], width = heads * head_dim; k_cache, v_cache: [rows, capacity, width]; state: [rows, 4] =
// token, position, step, done; scores: [rows, heads, capacity], scratch; y: [rows, width].
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
  // A row that ran past the cache (its tokens are thrown away) stays on the last slot.
  let position = min(state[row * 4u + 1u], params.capacity - 1u);
  let keys = position + 1u;
  let q_head = row * 3u * width + head * head_dim;
  let cache_head = row * params.capacity * width + head * head_dim;
  let scores_head = (row * params.heads + head) * params.capacity;

  for (var d = local; d < head_dim; d += lanes) {
    k_cache[cache_head + position * width + d] = qkv[q_head + width + d];
    v_cache[cache_head + position * width + d] = qkv[q_head + 2u * width + d];
  }
  storageBarrier();

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

  for (var d = local; d < head_dim; d += lanes) {
    var value = 0.0;
    for (var key = 0u; key < keys; key++) {
      value += scores[scores_head + key] * v_cache[cache_head + key * width + d];
    }
    y[row * width + head * head_dim + d] = value / total;
  }
}
