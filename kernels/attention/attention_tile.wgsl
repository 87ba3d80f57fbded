// y[i, h] = sum_j softmax_j(q[i, h] . k[j, h] * scale) v[j, h], as attention.wgsl, for GPUs. head_dim is a multiple of four and
// at most 64.
// A workgroup of 64 owns 16 queries of a head and walks the keys 32 at a time, K and V through one tile of workgroup memory,
// so that each is read from storage once for 16 queries. For the scores a lane owns 2 queries by 4 keys that lie 8 apart, for the sum
// 4 queries by one quad of values, in registers. Online softmax (Milakov & Gimelshein 2018).
// Tiles that lie wholly after the last query are not visited where nothing but causality masks. Masking as in attention.wgsl.
// q, k, v, mask, y: as there, in quads. Rows of the tiles are padded by one quad, against bank conflicts: 14.5 KiB in all.
struct Params {
  queries: u32,
  keys: u32,
  heads: u32,
  head_dim: u32,
  past: u32,
  causal: u32,
  has_mask: u32,
  scale: f32,
  q_first: u32,
  q_stride: u32,
  k_first: u32,
  k_stride: u32,
  v_first: u32,
  v_stride: u32,
  y_first: u32,
}
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> mask: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

const lowest = -3.4028234e38;
const lanes = 64u;
const tile_queries = 16u;
const tile_keys = 32u;
const pitch = 17u;   // quads from one row of a tile to the next
var<workgroup> q_tile: array<vec4<f32>, 272>;
var<workgroup> kv_tile: array<vec4<f32>, 544>;
var<workgroup> weights: array<f32, 512>;        // [query, key] of the tile
var<workgroup> corrections: array<f32, 16>;
var<workgroup> totals: array<f32, 16>;

// How often a key is masked for a query; one past the last key, twice.
fn masked(query: u32, key: u32) -> u32 {
  if (key >= params.keys) { return 2u; }
  var times = 0u;
  if (params.causal != 0u && key > params.past + query) { times = 1u; }
  if (params.has_mask != 0u) { times += select(0u, 1u, mask[key] == 0u); }
  return times;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let head = workgroup.y;
  let first_query = workgroup.x * tile_queries;
  let last_query = params.queries - 1u;
  let quads = params.head_dim / 4u;
  let column = local % 16u;
  let part = local / 16u;
  // Without a mask the keys after the last query weigh nothing; with one they may be all that is left.
  let seen = min(params.keys, params.past + min(first_query + tile_queries - 1u, last_query) + 1u);
  let end = select(params.keys, seen, params.causal != 0u && params.has_mask == 0u);

  // Lanes past the head's width work on its last quad again: every lane reaches the barriers, with loads in bounds.
  let quad = head * quads + min(column, quads - 1u);
  for (var row = part; row < tile_queries; row += 4u) {
    let query = min(first_query + row, last_query);
    q_tile[row * pitch + column] = q[(params.q_first + query * params.q_stride) / 4u + quad];
  }
  var sums = array<vec4<f32>, 4>();
  var maximum = lowest;   // of query `local`, in the first 16 lanes
  var total = 0.0;

  for (var key = 0u; key < end; key += tile_keys) {
    for (var row = part; row < tile_keys; row += 4u) {
      let source = min(key + row, params.keys - 1u);
      kv_tile[row * pitch + column] = k[(params.k_first + source * params.k_stride) / 4u + quad];
    }
    workgroupBarrier();
    let tile_query = 2u * (local / 8u);
    let tile_key = local % 8u;
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    for (var d = 0u; d < quads; d++) {
      let a0 = q_tile[tile_query * pitch + d];
      let a1 = q_tile[(tile_query + 1u) * pitch + d];
      let four = mat4x4<f32>(
        kv_tile[tile_key * pitch + d],
        kv_tile[(tile_key + 8u) * pitch + d],
        kv_tile[(tile_key + 16u) * pitch + d],
        kv_tile[(tile_key + 24u) * pitch + d],
      );
      s0 += a0 * four;
      s1 += a1 * four;
    }
    for (var i = 0u; i < 4u; i++) {
      weights[tile_query * tile_keys + tile_key + 8u * i] = s0[i] * params.scale;
      weights[(tile_query + 1u) * tile_keys + tile_key + 8u * i] = s1[i] * params.scale;
    }
    workgroupBarrier();
    for (var row = part; row < tile_keys; row += 4u) {
      let source = min(key + row, params.keys - 1u);
      kv_tile[row * pitch + column] = v[(params.v_first + source * params.v_stride) / 4u + quad];
    }
    if (local < tile_queries) {
      let query = first_query + local;
      let before = maximum;
      for (var i = 0u; i < tile_keys; i++) {
        if (masked(query, key + i) == 0u) { maximum = max(maximum, weights[local * tile_keys + i]); }
      }
      let correction = exp(before - maximum);
      total *= correction;
      for (var i = 0u; i < tile_keys; i++) {
        let times = masked(query, key + i);
        let score = select(lowest, weights[local * tile_keys + i], times == 0u);
        let weight = select(exp(score - maximum), 0.0, times >= 2u);
        weights[local * tile_keys + i] = weight;
        total += weight;
      }
      corrections[local] = correction;
      totals[local] = total;
    }
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) { sums[i] *= corrections[4u * part + i]; }
    for (var row = 0u; row < tile_keys; row++) {
      let value = kv_tile[row * pitch + column];
      for (var i = 0u; i < 4u; i++) { sums[i] += weights[(4u * part + i) * tile_keys + row] * value; }
    }
    workgroupBarrier();
  }
  if (column >= quads) { return; }
  for (var i = 0u; i < 4u; i++) {
    let query = first_query + 4u * part + i;
    if (query > last_query) { return; }
    y[params.y_first / 4u + (query * params.heads + head) * quads + column] = sums[i] / totals[4u * part + i];
  }
}
