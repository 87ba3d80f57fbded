// Appends a token's k and v to the cache, then y[h] = sum_j softmax_j(q[h] . k_cache[j, h] * scale) v_cache[j, h].
// For software adapters, heads of a multiple of four values, up to 1024 positions. They pay some twenty cycles for a load and a
// switch of all lanes for a barrier: eight lanes score four keys each with one load of q, and scores stay in workgroup memory.
// 0.44 of the time of attention_decode_lanes.wgsl on lavapipe, 0.27 on SwiftShader.
// Layout: qkv [rows, 3 * width/4] of vec4, width = heads * head_dim
//   state [rows, 4] = token, position, step, done
//   k_cache, v_cache [rows, capacity, width/4] of vec4
//   y [rows, width/4] of vec4
// Keys past the position repeat the last and weigh nothing: a guard in the inner loop would cost more.
struct Params { rows: u32, heads: u32, head_dim: u32, capacity: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> k_cache: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

const lanes = 8u;
const lowest = vec4<f32>(-3.4028234e38);
// Element i: the scores, then the weights, of keys 4 i to 4 i + 3.
var<workgroup> weights: array<vec4<f32>, 256>;
var<workgroup> partial: array<vec4<f32>, lanes>;

fn horizontal_max(v: vec4<f32>) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

// Which of the four keys from `key` on exist.
fn present(key: u32, keys: u32) -> vec4<bool> {
  return vec4<u32>(key, key + 1u, key + 2u, key + 3u) < vec4<u32>(keys);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let head = workgroup.x;
  let row = workgroup.y;
  let quads = params.head_dim / 4u;
  let width = params.heads * quads;
  // A row past the end of the cache stays on the last slot; its tokens are dropped.
  let last = min(state[row * 4u + 1u], params.capacity - 1u);
  let keys = last + 1u;
  let q_head = row * 3u * width + head * quads;
  let cache_head = row * params.capacity * width + head * quads;

  // Append.
  for (var d = local; d < quads; d += lanes) {
    k_cache[cache_head + last * width + d] = qkv[q_head + width + d];
    v_cache[cache_head + last * width + d] = qkv[q_head + 2u * width + d];
  }
  storageBarrier();

  // Pass 1: scores.
  var maximum = lowest;
  for (var key = local * 4u; key < keys; key += lanes * 4u) {
    let k0 = cache_head + key * width;
    let k1 = cache_head + min(key + 1u, last) * width;
    let k2 = cache_head + min(key + 2u, last) * width;
    let k3 = cache_head + min(key + 3u, last) * width;
    var dots = vec4<f32>();
    for (var d = 0u; d < quads; d++) {
      let q = qkv[q_head + d];
      dots += vec4<f32>(dot(q, k_cache[k0 + d]), dot(q, k_cache[k1 + d]), dot(q, k_cache[k2 + d]), dot(q, k_cache[k3 + d]));
    }
    let scores = select(lowest, dots * params.scale, present(key, keys));
    weights[key / 4u] = scores;
    maximum = max(maximum, scores);
  }
  partial[local] = maximum;
  workgroupBarrier();
  for (var i = 0u; i < lanes; i++) { maximum = max(maximum, partial[i]); }
  let highest = horizontal_max(maximum);
  workgroupBarrier();

  // Pass 2: weights.
  var sum = vec4<f32>();
  for (var key = local * 4u; key < keys; key += lanes * 4u) {
    let weight = select(vec4<f32>(), exp(weights[key / 4u] - highest), present(key, keys));
    weights[key / 4u] = weight;
    sum += weight;
  }
  partial[local] = sum;
  workgroupBarrier();
  sum = vec4<f32>();
  for (var i = 0u; i < lanes; i++) { sum += partial[i]; }
  let total = sum.x + sum.y + sum.z + sum.w;

  // Pass 3: the weighted sum, lanes along the quads of the output; four keys share a load of weights.
  for (var d = local; d < quads; d += lanes) {
    let v_first = cache_head + d;
    var value = vec4<f32>();
    for (var key = 0u; key < keys; key += 4u) {
      let weight = weights[key / 4u];
      value += weight.x * v_cache[v_first + key * width]
        + weight.y * v_cache[v_first + min(key + 1u, last) * width]
        + weight.z * v_cache[v_first + min(key + 2u, last) * width]
        + weight.w * v_cache[v_first + min(key + 3u, last) * width];
    }
    y[row * width + head * quads + d] = value / total;
  }
}
