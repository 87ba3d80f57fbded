// parts[c, h] = (sum_j exp(s_j - m) v_cache[j, h], m = max_j s_j, sum_j exp(s_j - m)) over chunk c of 128 keys, after the append.
// For GPUs and heads of up to 64 values: 256 lanes for each chunk of a head of a row, so that a long cache occupies many
// workgroups; on an H100 5.7 us where a workgroup a head takes 26. Groups of lanes share out the keys and read a row of K or V at
// once; a lane has at most eight keys, and all its loads start before the first is used. The next product merges the parts.
// Layout: qkv [rows, 3 * width/4] of vec4, width = heads * head_dim
//   state [rows, 4] = token, position, step, done
//   k_cache, v_cache [rows, capacity, width/4] of vec4
//   parts [rows, chunks, heads, head_dim/4 + 1] of vec4: the weighted sum, then (m, sum of weights, 0, 0)
// Lanes past the last group repeat it, so that every lane reaches the barriers of lane_reduce.wgsl.
struct Params { rows: u32, heads: u32, head_dim: u32, capacity: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> k_cache: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> parts: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

const chunk_keys = 128u;
const lowest = -3.4028234e38;
const pitch = 17u;   // from one key's products to the next's: an odd number, against bank conflicts
var<workgroup> products: array<f32, 2176>;   // [key, quad of the head]
var<workgroup> weights: array<f32, chunk_keys>;
var<workgroup> sums: array<vec4<f32>, lanes>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, lane: Lane) {
  let chunk = workgroup.x;
  let head = workgroup.y;
  let row = workgroup.z;
  let quads = params.head_dim / 4u;
  let width = params.heads * quads;
  // A row past the end of the cache stays on the last slot; its tokens are dropped.
  let last = min(state[row * 4u + 1u], params.capacity - 1u);
  let begin = chunk * chunk_keys;
  if (begin > last) { return; }
  let keys = min(last + 1u - begin, chunk_keys);
  let q_head = row * 3u * width + head * quads;
  let cache_head = row * params.capacity * width + head * quads;

  // Pass 1: append, and the products of q and k.
  let groups = lanes / quads;
  let group = min(lane.index / quads, groups - 1u);
  let quad = lane.index % quads;
  let q = qkv[q_head + quad];
  let new_k = qkv[q_head + width + quad];
  let new_v = qkv[q_head + 2u * width + quad];
  var k: array<vec4<f32>, 8>;
  var v: array<vec4<f32>, 8>;
  for (var i = 0u; i < 8u; i++) {
    // A load past the last key, too: one that depends on nothing costs less than a branch.
    let slot = cache_head + min(begin + group + i * groups, last) * width + quad;
    k[i] = k_cache[slot];
    v[i] = v_cache[slot];
  }
  for (var i = 0u; i < 8u; i++) {
    let key = group + i * groups;
    if (begin + key == last) {
      k[i] = new_k;
      v[i] = new_v;
      k_cache[cache_head + last * width + quad] = new_k;
      v_cache[cache_head + last * width + quad] = new_v;
    }
    if (key < keys) { products[key * pitch + quad] = dot(q, k[i]); }
  }
  workgroupBarrier();

  // Pass 2: scores and weights.
  var score = lowest;
  if (lane.index < keys) {
    score = 0.0;
    for (var i = 0u; i < quads; i++) { score += products[lane.index * pitch + i]; }
    score *= params.scale;
  }
  let most = max_over_lanes(lane, score);
  let weight = select(0.0, exp(score - most), lane.index < keys);
  if (lane.index < keys) { weights[lane.index] = weight; }
  let total = sum_over_lanes(lane, weight); // Its barriers also publish the weights.

  // Pass 3: the weighted sum, then over the groups of lanes.
  var value = vec4<f32>();
  for (var i = 0u; i < 8u; i++) {
    let key = group + i * groups;
    if (key < keys) { value += weights[key] * v[i]; }
  }
  sums[lane.index] = value;
  workgroupBarrier();
  let part = ((row * ((params.capacity + chunk_keys - 1u) / chunk_keys) + chunk) * params.heads + head) * (quads + 1u);
  if (lane.index == quads) { parts[part + quads] = vec4<f32>(most, total, 0.0, 0.0); }
  if (lane.index >= quads) { return; }
  for (var i = 1u; i < groups; i++) { value += sums[i * quads + lane.index]; }
  parts[part + lane.index] = value;
}
