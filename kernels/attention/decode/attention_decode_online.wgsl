// Appends a token's k and v to the cache, then y[h] = sum_j softmax_j(q[h] . k_cache[j, h] * scale) v_cache[j, h].
// For lavapipe with subgroups of eight lanes, heads of up to 64 values: a subgroup walks over the keys, lanes along the head, q
// and the result in registers. Eight lanes load neighbouring values, and an exp serves eight keys: 0.74 of the time of
// attention_decode_four_keys.wgsl. Online softmax (Milakov & Gimelshein 2018). The new token comes out of qkv: no barrier.
// Layout: qkv [rows, 3 * width/4] of vec4, width = heads * head_dim
//   state [rows, 4] = token, position, step, done
//   k_cache, v_cache [rows, capacity, width/4] of vec4
//   y [rows, width/4] of vec4
// Mesa would unroll loops over eight keys whose end it knows, into more code than an instruction cache holds.
struct Params { rows: u32, heads: u32, head_dim: u32, capacity: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> k_cache: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

const lowest = -3.4028234e38;

// Over the eight lanes, in each of them.
fn sum_of_lanes(value: f32) -> f32 {
  var sum = value;
  sum += subgroupShuffleXor(sum, 1u);
  sum += subgroupShuffleXor(sum, 2u);
  sum += subgroupShuffleXor(sum, 4u);
  return sum;
}

fn most_of_lanes(value: f32) -> f32 {
  var most = value;
  most = max(most, subgroupShuffleXor(most, 1u));
  most = max(most, subgroupShuffleXor(most, 2u));
  most = max(most, subgroupShuffleXor(most, 4u));
  return most;
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
  let lane = subgroup_lane & 7u;
  let head = workgroup.x;
  let row = workgroup.y;
  let quads = params.head_dim / 4u;
  let width = params.heads * quads;
  // A row past the end of the cache stays on the last slot; its tokens are dropped.
  let last = min(state[row * 4u + 1u], params.capacity - 1u);
  // Lanes past the last quad repeat it with a q of zero and store nothing.
  let near = head * quads + min(lane, quads - 1u);
  let far = head * quads + min(lane + 8u, quads - 1u);
  // Append, and the new token as the first key.
  let qkv_row = row * 3u * width;
  let cache_row = row * params.capacity * width;
  let q_near = qkv[qkv_row + near] * select(0.0, params.scale, lane < quads);
  let q_far = qkv[qkv_row + far] * select(0.0, params.scale, lane + 8u < quads);
  let k_near = qkv[qkv_row + width + near];
  let k_far = qkv[qkv_row + width + far];
  var y_near = qkv[qkv_row + 2u * width + near];
  var y_far = qkv[qkv_row + 2u * width + far];
  let slot = cache_row + last * width;
  if (lane < quads) { k_cache[slot + near] = k_near; v_cache[slot + near] = y_near; }
  if (lane + 8u < quads) { k_cache[slot + far] = k_far; v_cache[slot + far] = y_far; }

  var maximum = sum_of_lanes(dot(q_near, k_near) + dot(q_far, k_far));
  // Weights of the keys that fall to this lane; the new token falls to lane 0.
  var total = select(0.0, 1.0, lane == 0u);
  // The other keys, eight at a time: scores, weights, the weighted sum.
  for (var first = 0u; first < last; first += 8u) {
    let end = min(first + 8u, last);
    // Lane i: the score, then the weight, of key first + i.
    var own = lowest;
    // A sum over lanes waits for its products, so it comes after the loads of the next key: 0.87 of the time.
    var before = 0.0;
    for (var key = first; key < end; key++) {
      let k = cache_row + key * width;
      let products = dot(q_near, k_cache[k + near]) + dot(q_far, k_cache[k + far]);
      own = select(own, sum_of_lanes(before), lane + 1u == key - first);
      before = products;
    }
    own = select(own, sum_of_lanes(before), lane + 1u == end - first);
    let most = max(maximum, most_of_lanes(own));
    let correction = exp(maximum - most);
    maximum = most;
    own = select(0.0, exp(own - most), first + lane < end);
    total = total * correction + own;
    y_near *= correction;
    y_far *= correction;
    for (var key = first; key < end; key++) {
      let weight = subgroupShuffle(own, key - first);
      let v = cache_row + key * width;
      y_near += weight * v_cache[v + near];
      y_far += weight * v_cache[v + far];
    }
  }
  total = sum_of_lanes(total);
  if (lane < quads) { y[row * width + near] = y_near / total; }
  if (lane + 8u < quads) { y[row * width + far] = y_far / total; }
}
