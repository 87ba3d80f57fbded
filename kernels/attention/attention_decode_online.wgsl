// Attention of one new token over a KV cache, and the append to that cache, as attention_decode.wgsl, for lavapipe with
// subgroups of eight lanes or more, and heads of up to 64 values, a multiple of four. One subgroup a head of a row.
// Lanes lie along the quads of the head, two a lane, and the subgroup walks over the keys: q and the result stay in
// registers, and what eight lanes load lies side by side, where a lane for each key has a row for each lane. Eight keys are
// scored, a dot product summed by three shuffles, before the softmax goes on (online, Milakov & Gimelshein 2018), so that an
// exp serves eight. The new token comes first and out of qkv: nothing is read that was just written, and there is no barrier.
// The loops over eight keys end where Mesa does not see, or it would unroll them: see ../matmul/gemv_lanes.wgsl.
// qkv: [rows, 3 * width], width = heads * head_dim; k_cache, v_cache: [rows, capacity, width]; state: [rows, 4] =
// token, position, step, done; y: [rows, width]; all f32 but state, in quads.
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
  // A row that ran past the cache (its tokens are thrown away) stays on the last slot.
  let last = min(state[row * 4u + 1u], params.capacity - 1u);
  // Lanes past the last quad work on it again, with a q of zero, and store nothing.
  let near = head * quads + min(lane, quads - 1u);
  let far = head * quads + min(lane + 8u, quads - 1u);
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
  // Of the keys that fall to this lane; the new token falls to the first.
  var total = select(0.0, 1.0, lane == 0u);
  for (var first = 0u; first < last; first += 8u) {
    let end = min(first + 8u, last);
    // Lane i: the score, then the weight, of key first + i.
    var own = lowest;
    // A sum over lanes waits for its products, so it is taken behind the loads of the next key: 0.87 of the time.
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
