// x = block_{n-1}(… block_0(x)): all transformer blocks of one new token in one dispatch, where others take five a layer.
// `groups` workgroups stay resident, share out columns and heads, and meet after each of the five parts of a layer. What one
// writes and another reads goes through atomics (bits of f32), the only accesses that WGSL keeps coherent between workgroups; K
// and V of a head belong to one workgroup. WGSL does not promise that all run at once: after `spins` looks a workgroup gives up
// and says so in sync[1], and the others follow. resident.ts proves how many can be trusted.
// Layout: weight, vectors: PackedBlocks (decode_blocks.ts); H is a multiple of 32, so a matrix begins at a whole panel
//   state [1, 4] = token, position, step, done; k_cache, v_cache [layers, capacity, H/4] of vec4
//   x [H], in and out; work [8 H]: q k v, what attention gathered, the hidden layer of the MLP
//   sync = arrivals, whether a workgroup gave up
struct Params { layers: u32, heads: u32, groups: u32, spins: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> weight: array<Matrix4>;
@group(0) @binding(1) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> k_cache: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> v_cache: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> x: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> work: array<atomic<u32>>;
@group(0) @binding(7) var<storage, read_write> sync: array<atomic<u32>>;
@group(0) @binding(8) var<uniform> params: Params;

override lanes = 64u;
// H / 4
override quads = 8u;
override capacity = 64u;

const norm_eps = 1e-5;

// A quarter of the input of a product: H values.
var<workgroup> staged: array<vec4<f32>, quads>;
var<workgroup> sums: array<vec4<f32>, lanes>;
var<workgroup> scores: array<f32, capacity>;
var<workgroup> gave_up: u32;

fn load_x(i: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(
    atomicLoad(&x[4u * i]), atomicLoad(&x[4u * i + 1u]), atomicLoad(&x[4u * i + 2u]), atomicLoad(&x[4u * i + 3u])));
}

fn load_work(i: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(
    atomicLoad(&work[4u * i]), atomicLoad(&work[4u * i + 1u]), atomicLoad(&work[4u * i + 2u]),
    atomicLoad(&work[4u * i + 3u])));
}

fn store_x(i: u32, value: vec4<f32>) {
  let bits = bitcast<vec4<u32>>(value);
  for (var j = 0u; j < 4u; j++) { atomicStore(&x[4u * i + j], bits[j]); }
}

fn store_work(i: u32, value: vec4<f32>) {
  let bits = bitcast<vec4<u32>>(value);
  for (var j = 0u; j < 4u; j++) { atomicStore(&work[4u * i + j], bits[j]); }
}

fn sum_of(v: vec4<f32>) -> f32 { return v.x + v.y + v.z + v.w; }

// All lanes' values, added up.
fn sum_over_lanes(local: u32, value: f32) -> f32 {
  sums[local].x = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < lanes; i++) { sum += sums[i].x; }
  workgroupBarrier();
  return sum;
}

// All workgroups arrive before one goes on. `true`: give up.
fn meet(local: u32, meeting: u32) -> bool {
  // The stores of all lanes come before the arrival.
  storageBarrier();
  workgroupBarrier();
  if (local == 0u) {
    atomicAdd(&sync[0], 1u);
    var left = params.spins;
    loop {
      if (atomicLoad(&sync[0]) >= params.groups * meeting || atomicLoad(&sync[1]) != 0u) { break; }
      if (left == 0u) { atomicStore(&sync[1], 1u); break; }
      left--;
    }
    gave_up = atomicLoad(&sync[1]);
  }
  return workgroupUniformLoad(&gave_up) != 0u;
}

// x through a layer norm into `staged`; `vector`: where its weight and bias lie.
fn stage_normed(local: u32, vector: u32) {
  var sum = 0.0;
  for (var k = local; k < quads; k += lanes) {
    let value = load_x(k);
    staged[k] = value;
    sum += sum_of(value);
  }
  let mean = sum_over_lanes(local, sum) / f32(4u * quads);
  var squares = 0.0;
  for (var k = local; k < quads; k += lanes) {
    let difference = staged[k] - mean;
    squares += dot(difference, difference);
  }
  let scale = inverseSqrt(sum_over_lanes(local, squares) / f32(4u * quads) + norm_eps);
  for (var k = local; k < quads; k += lanes) {
    staged[k] = (staged[k] - mean) * scale * vectors[vector + k] + vectors[vector + quads + k];
  }
  workgroupBarrier();
}

// H values of `work` from vec4 `from` on into `staged`.
fn stage_work(local: u32, start: u32) {
  for (var k = local; k < quads; k += lanes) { staged[k] = load_work(start + k); }
  workgroupBarrier();
}

// The lane's share of `staged` times blocks `from` on of its group of four columns; eight groups make a panel.
fn share(local: u32, panel: u32, blocks: u32, start: u32) -> vec4<f32> {
  let group = 8u * panel + local % 8u;
  var sum = vec4<f32>();
  for (var k = local / 8u; k < quads; k += lanes / 8u) {
    let block = load_block(start + k, group, blocks, chunk_scale((start + k) / 8u, group, blocks));
    let a = staged[k];
    sum += a.x * row0(block) + a.y * row1(block) + a.z * row2(block) + a.w * row3(block);
  }
  return sum;
}

// The shares of a panel, added up: lane i < 8 gets columns 4 i to 4 i + 3.
fn gather(local: u32, value: vec4<f32>) -> vec4<f32> {
  sums[local] = value;
  workgroupBarrier();
  var sum = vec4<f32>();
  if (local < 8u) {
    for (var i = local; i < lanes; i += 8u) { sum += sums[i]; }
  }
  workgroupBarrier();
  return sum;
}

// One head: append its k and v, then softmax(q k^T) v over the cache.
fn attend(local: u32, layer: u32, head: u32) {
  let width = quads / params.heads;
  let position = min(state[1], capacity - 1u);
  let keys = position + 1u;
  let cache = layer * capacity * quads + head * width;
  for (var d = local; d < width; d += lanes) {
    staged[d] = load_work(head * width + d);
    k_cache[cache + position * quads + d] = load_work(quads + head * width + d);
    v_cache[cache + position * quads + d] = load_work(2u * quads + head * width + d);
  }
  storageBarrier();
  workgroupBarrier();
  var maximum = -3.4028234e38;
  for (var key = local; key < keys; key += lanes) {
    var score = 0.0;
    for (var d = 0u; d < width; d++) { score += dot(staged[d], k_cache[cache + key * quads + d]); }
    scores[key] = score * params.scale;
    maximum = max(maximum, scores[key]);
  }
  sums[local].x = maximum;
  workgroupBarrier();
  for (var i = 0u; i < lanes; i++) { maximum = max(maximum, sums[i].x); }
  workgroupBarrier();
  var sum = 0.0;
  for (var key = local; key < keys; key += lanes) {
    scores[key] = exp(scores[key] - maximum);
    sum += scores[key];
  }
  let total = sum_over_lanes(local, sum);
  // Lanes share out the values of the head, then the keys. Those that are left over have none.
  let parts = lanes / width;
  let part = local / width;
  let d = local % width;
  var value = vec4<f32>();
  if (part < parts) {
    for (var key = part; key < keys; key += parts) { value += scores[key] * v_cache[cache + key * quads + d]; }
  }
  sums[local] = value;
  workgroupBarrier();
  if (local < width) {
    for (var i = 1u; i < parts; i++) { value += sums[i * width + local]; }
    store_work(3u * quads + head * width + local, value / total);
  }
  workgroupBarrier();
}

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let first = workgroup.x;
  // Panels of a matrix of H columns; a layer has 3, 1 and 4 times as many of height H, then as many of height 4 H.
  let panels = quads / 8u;
  var meeting = 0u;
  for (var layer = 0u; layer < params.layers; layer++) {
    let vector = layer * 13u * quads;
    // Heights differ by four, so the panels of height H before a layer are a multiple of four.
    let tall = layer * 12u * panels;

    stage_normed(local, vector);
    for (var panel = first; panel < 3u * panels; panel += params.groups) {
      let sum = gather(local, share(local, tall + panel, quads, 0u));
      if (local < 8u) { store_work(8u * panel + local, sum + vectors[vector + 4u * quads + 8u * panel + local]); }
    }
    meeting++;
    if (meet(local, meeting)) { return; }

    for (var head = first; head < params.heads; head += params.groups) { attend(local, layer, head); }
    meeting++;
    if (meet(local, meeting)) { return; }

    stage_work(local, 3u * quads);
    for (var panel = first; panel < panels; panel += params.groups) {
      let sum = gather(local, share(local, tall + 3u * panels + panel, quads, 0u));
      let at = 8u * panel + local;
      if (local < 8u) { store_x(at, load_x(at) + sum + vectors[vector + 7u * quads + at]); }
    }
    meeting++;
    if (meet(local, meeting)) { return; }

    stage_normed(local, vector + 2u * quads);
    for (var panel = first; panel < 4u * panels; panel += params.groups) {
      let sum = gather(local, share(local, tall + 4u * panels + panel, quads, 0u));
      if (local < 8u) {
        let value = sum + vectors[vector + 8u * quads + 8u * panel + local];
        store_work(4u * quads + 8u * panel + local, vec4<f32>(gelu(value.x), gelu(value.y), gelu(value.z), gelu(value.w)));
      }
    }
    meeting++;
    if (meet(local, meeting)) { return; }

    for (var panel = first; panel < panels; panel += params.groups) {
      var sum = vec4<f32>();
      for (var quarter = 0u; quarter < 4u; quarter++) {
        stage_work(local, (4u + quarter) * quads);
        sum += share(local, (tall + 8u * panels) / 4u + panel, 4u * quads, quarter * quads);
        workgroupBarrier();
      }
      sum = gather(local, sum);
      let at = 8u * panel + local;
      if (local < 8u) { store_x(at, load_x(at) + sum + vectors[vector + 12u * quads + at]); }
    }
    meeting++;
    if (meet(local, meeting)) { return; }
  }
  // The last one to leave counts from zero again, for the next dispatch.
  if (local == 0u && atomicAdd(&sync[0], 1u) + 1u == params.groups * (meeting + 1u)) { atomicStore(&sync[0], 0u); }
}
