// Picks one id of a row of logits as transformers' processors do (bark-spec 4.2): ids outside the allowed ranges are out;
// if the end-of-sequence id is likelier than min_eos_p, it is taken; else greedy (the first of equal maxima), or
// temperature, top-k (ties at the threshold stay), top-p, and a draw by Gumbel-max (random.wgsl).
// One workgroup a row. All lanes call; all return the same id. Sums and maxima over lanes are taken by every lane over
// 64 partial results. Control flow around a barrier depends on uniforms alone, as WGSL demands.
struct Params {
  rows: u32,
  vocabulary: u32,      // row stride of logits
  start0: u32, end0: u32, start1: u32, end1: u32,   // allowed ids: [start0, end0) and [start1, end1)
  eos: u32,             // read only if min_eos_p is on, and by sample_step; 0xffffffff: none
  pad: u32,             // what a row that is done emits
  min_eos_p: f32,       // 0: off
  greedy: u32,
  temperature: f32,
  top_k: u32,           // 0: off
  top_p: f32,           // >= 1: off
  seed_low: u32, seed_high: u32,
  stage: u32,           // keeps the draws of different stages apart
  first: u32, stride: u32,   // where results go; see the main files
}

const lanes = 64u;
const lowest = -3.4028234e38;
var<workgroup> partial: array<f32, lanes>;
var<workgroup> partial_id: array<u32, lanes>;

fn total(local: u32, value: f32) -> f32 {
  partial[local] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < lanes; i++) { sum += partial[i]; }
  workgroupBarrier();
  return sum;
}

// The id with the largest value over all lanes, the smallest such id on ties.
fn best_of(local: u32, value: f32, id: u32) -> u32 {
  partial[local] = value;
  partial_id[local] = id;
  workgroupBarrier();
  var most = partial[0];
  var best = partial_id[0];
  for (var i = 1u; i < lanes; i++) {
    if (partial[i] > most || (partial[i] == most && partial_id[i] < best)) { most = partial[i]; best = partial_id[i]; }
  }
  workgroupBarrier();
  return best;
}

fn allowed(id: u32) -> bool {
  return (id >= params.start0 && id < params.end0) || (id >= params.start1 && id < params.end1);
}

// The first allowed id and one past the last.
fn span() -> vec2<u32> {
  let second = params.end1 > params.start1;
  return vec2<u32>(
    select(params.start0, min(params.start0, params.start1), second),
    select(params.end0, max(params.end0, params.end1), second),
  );
}

// A key that orders as the float does (no NaN): flips all bits of negatives, the sign of the others. -0 ties with 0.
fn order(value: f32) -> u32 {
  let bits = bitcast<u32>(select(value, 0.0, value == 0.0));
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

fn score(logits_row: u32, id: u32) -> f32 { return logits[logits_row + id] / params.temperature; }

// The largest key such that at least `wanted` lies at or above it: ids counted one by one (top-k), or by exp(value - maximum),
// that is by probability mass (top-p). Found bit by bit from the top: 32 sums over the row instead of a sort.
// Ids with a key below `floor_key` do not take part.
fn threshold(local: u32, logits_row: u32, floor_key: u32, by_mass: bool, maximum: f32, wanted: f32) -> u32 {
  let ids = span();
  var key = 0u;
  for (var bit = 32u; bit > 0u; bit--) {
    let candidate = key | (1u << (bit - 1u));
    var sum = 0.0;
    for (var id = ids.x + local; id < ids.y; id += lanes) {
      let value = score(logits_row, id);
      if (!allowed(id) || order(value) < max(candidate, floor_key)) { continue; }
      sum += select(1.0, exp(value - maximum), by_mass);
    }
    if (total(local, sum) >= wanted) { key = candidate; }
  }
  return key;
}

fn greedy_id(local: u32, logits_row: u32) -> u32 {
  let ids = span();
  var most = lowest;
  var best = ids.y;
  for (var id = ids.x + local; id < ids.y; id += lanes) {
    let value = logits[logits_row + id];
    if (allowed(id) && (value > most || best == ids.y)) { most = value; best = id; }
  }
  return best_of(local, most, best);
}

// Softmax probability of the end-of-sequence id among the allowed ones, without temperature.
fn eos_probability(local: u32, logits_row: u32, maximum: f32) -> f32 {
  let ids = span();
  var sum = 0.0;
  for (var id = ids.x + local; id < ids.y; id += lanes) {
    if (allowed(id)) { sum += exp(logits[logits_row + id] - maximum); }
  }
  return exp(logits[logits_row + params.eos] - maximum) / total(local, sum);
}

// The threshold key of top-k and top-p together; ids below it are out.
fn filter_key(local: u32, logits_row: u32, maximum: f32) -> u32 {
  let ids = span();
  var key = 0u;
  if (params.top_k != 0u) { key = threshold(local, logits_row, 0u, false, maximum, f32(params.top_k)); }
  if (params.top_p < 1.0) {
    var sum = 0.0;
    for (var id = ids.x + local; id < ids.y; id += lanes) {
      let value = score(logits_row, id);
      if (allowed(id) && order(value) >= key) { sum += exp(value - maximum); }
    }
    let mass = total(local, sum);
    key = max(key, threshold(local, logits_row, key, true, maximum, mass * params.top_p));
  }
  return key;
}

fn drawn_id(local: u32, row: u32, logits_row: u32, step: u32, key: u32) -> u32 {
  let ids = span();
  let seed = vec2<u32>(params.seed_low, params.seed_high);
  var most = lowest;
  var best = ids.y;
  for (var id = ids.x + local; id < ids.y; id += lanes) {
    let value = score(logits_row, id);
    if (!allowed(id) || order(value) < key) { continue; }
    let noisy = value - log_exponential(philox(vec4<u32>(id, step, row, params.stage), seed).x);
    if (noisy > most || best == ids.y) { most = noisy; best = id; }
  }
  return best_of(local, most, best);
}

fn select_id(local: u32, row: u32, logits_row: u32, step: u32) -> u32 {
  var id = greedy_id(local, logits_row);
  let maximum = logits[logits_row + id];
  var forced = false;
  if (params.min_eos_p > 0.0) { forced = eos_probability(local, logits_row, maximum) > params.min_eos_p; }
  if (params.greedy == 0u) {
    let key = filter_key(local, logits_row, maximum / params.temperature);
    id = drawn_id(local, row, logits_row, step, key);
  }
  return select(id, params.eos, forced);
}
