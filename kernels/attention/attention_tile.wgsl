// y[i, h] = sum_j softmax_j(q[i, h] . k[j, h] * scale) v[j, h], for GPUs and heads of a multiple of four values, at most 64.
// A workgroup of 128 lanes owns 32 queries and walks the keys by 16 through workgroup memory (12 KiB). A lane has a query and
// its sum in registers and takes every fourth group of four keys: 32 neighbours want the same key, so one load serves all of
// them and the softmax exchanges nothing. On an H100 11 to 15 times as fast as attention_query.wgsl. Online softmax.
// Layout: q [queries, q_stride/4] of vec4, row 0 at element q_first
//   k [keys, k_stride/4] of vec4, v [keys, v_stride/4] of vec4, likewise
//   mask [keys], 0 = masked
//   y [queries, heads * head_dim/4] of vec4, query 0 at element y_first
// Lanes past the last query repeat it, so that every lane reaches the barriers. Masking as in attention_query.wgsl.
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> mask: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

const lowest = -3.4028234e38;
const tile_queries = 32u;
const tile_keys = 16u;
const parts = 4u;         // lanes that share a query, each with tile_keys / parts = 4 keys of a tile
const most_quads = 16u;   // of a head; those that a narrower one lacks are zero
var<workgroup> tile: array<vec4<f32>, 512>;          // K [key, quad], then V; in the end the sums of a part [quad, query]
var<workgroup> summary: array<vec2<f32>, tile_queries>;   // of a part: maximum and total

// How often a key is masked for a query; one past the last key, twice.
fn masked(query: u32, key: u32) -> u32 {
  if (key >= params.keys) { return 2u; }
  var times = 0u;
  if (params.causal != 0u && key > params.past + query) { times = 1u; }
  if (params.has_mask != 0u) { times += select(0u, 1u, mask[key] == 0u); }
  return times;
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let head = workgroup.y;
  let last_query = params.queries - 1u;
  let quads = params.head_dim / 4u;
  let part = local / tile_queries;
  let row = local % tile_queries;
  let first_query = workgroup.x * tile_queries;
  let query = min(first_query + row, last_query);
  // Without a mask the keys after the last query weigh nothing; with one they may be all that is left.
  let seen = min(params.keys, params.past + min(first_query + tile_queries - 1u, last_query) + 1u);
  let end = select(params.keys, seen, params.causal != 0u && params.has_mask == 0u);

  var own: array<vec4<f32>, most_quads>;
  var sums: array<vec4<f32>, most_quads>;
  let q_row = (params.q_first + query * params.q_stride) / 4u + head * quads;
  for (var d = 0u; d < most_quads; d++) {
    own[d] = select(vec4<f32>(), q[q_row + min(d, quads - 1u)], d < quads);
    sums[d] = vec4<f32>();
  }
  var maximum = lowest;
  var total = 0.0;

  for (var key = 0u; key < end; key += tile_keys) {
    // Load the tile.
    for (var i = local; i < tile_keys * most_quads; i += 128u) {
      let source = min(key + i / most_quads, params.keys - 1u);
      let quad = head * quads + min(i % most_quads, quads - 1u);
      tile[i] = k[(params.k_first + source * params.k_stride) / 4u + quad];
      tile[tile_keys * most_quads + i] = v[(params.v_first + source * params.v_stride) / 4u + quad];
    }
    workgroupBarrier();
    // Scores, weights and the sum, two keys at a time. No constant bounds the loop: lavapipe unrolled one, for 34 s.
    let first = part * 4u;
    let pairs = min((end - min(key + first, end) + 1u) / 2u, 2u);
    for (var pair = 0u; pair < pairs; pair++) {
      let near = first + 2u * pair;
      var scores = vec2<f32>();
      for (var d = 0u; d < most_quads; d++) {
        scores += vec2<f32>(dot(own[d], tile[near * most_quads + d]), dot(own[d], tile[(near + 1u) * most_quads + d]));
      }
      let times = vec2<u32>(masked(query, key + near), masked(query, key + near + 1u));
      let visible = select(vec2<f32>(lowest), scores * params.scale, times == vec2<u32>(0u));
      let most = max(maximum, max(visible.x, visible.y));
      let correction = exp(maximum - most);
      let weights = select(exp(visible - most), vec2<f32>(), times >= vec2<u32>(2u));
      maximum = most;
      total = total * correction + weights.x + weights.y;
      let values = (tile_keys + near) * most_quads;
      for (var d = 0u; d < most_quads; d++) {
        sums[d] = sums[d] * correction + weights.x * tile[values + d] + weights.y * tile[values + most_quads + d];
      }
    }
    workgroupBarrier();
  }

  // Merge the parts that had a key.
  let givers = min(parts, (end + 3u) / 4u);
  for (var giver = 1u; giver < givers; giver++) {
    if (part == giver) {
      for (var d = 0u; d < most_quads; d++) { tile[d * tile_queries + row] = sums[d]; }
      summary[row] = vec2<f32>(maximum, total);
    }
    workgroupBarrier();
    if (part == 0u) {
      let other = summary[row];
      let most = max(maximum, other.x);
      let mine = exp(maximum - most);
      let theirs = exp(other.x - most);
      for (var d = 0u; d < most_quads; d++) { sums[d] = sums[d] * mine + theirs * tile[d * tile_queries + row]; }
      total = total * mine + theirs * other.y;
      maximum = most;
    }
    workgroupBarrier();
  }
  if (part != 0u || first_query + row > last_query) { return; }
  let y_row = params.y_first / 4u + (query * params.heads + head) * quads;
  for (var d = 0u; d < most_quads; d++) {
    if (d < quads) { y[y_row + d] = sums[d] / total; }
  }
}
