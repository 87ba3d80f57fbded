// y[h, i, j] = softmax_j(q[i, h] . k[j, h] * scale): the weights with which attention sums the values, for users who ask for
// them. An invocation owns one query of one head: no other touches its row of y, so nothing has to wait.
// Layout: q [queries, q_stride], row 0 at element q_first
//   k [keys, k_stride], row 0 at element k_first
//   mask [keys], 0 = masked
//   y [heads, queries, keys]
// A key masked once scores the lowest finite f32, one masked twice (mask and causality) weighs nothing, so that a row that sees
// no key weighs those masked once evenly, as in PyTorch.
@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

const lowest = -3.4028234e38;

// How often a key is masked for a query.
fn masked(query: u32, key: u32) -> u32 {
  var times = 0u;
  if (params.causal != 0u && key > params.past + query) { times = 1u; }
  if (params.has_mask != 0u) { times += select(0u, 1u, mask[key] == 0u); }
  return times;
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let query = workgroup.x * 32u + local;
  let head = workgroup.y;
  if (query >= params.queries) { return; }
  let q_row = params.q_first + query * params.q_stride + head * params.head_dim;
  let y_row = (head * params.queries + query) * params.keys;

  // Pass 1: scores.
  var maximum = lowest;
  for (var key = 0u; key < params.keys; key++) {
    let k_row = params.k_first + key * params.k_stride + head * params.head_dim;
    var dot = 0.0;
    for (var d = 0u; d < params.head_dim; d++) { dot += q[q_row + d] * k[k_row + d]; }
    let score = select(lowest, dot * params.scale, masked(query, key) == 0u);
    y[y_row + key] = score;
    maximum = max(maximum, score);
  }
  // Pass 2: exponentials and their sum.
  var total = 0.0;
  for (var key = 0u; key < params.keys; key++) {
    let weight = select(0.0, exp(y[y_row + key] - maximum), masked(query, key) < 2u);
    y[y_row + key] = weight;
    total += weight;
  }
  // Pass 3: divide.
  for (var key = 0u; key < params.keys; key++) { y[y_row + key] /= total; }
}
