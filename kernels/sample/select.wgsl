// id = argmax(logit) or a draw from softmax(logit / temperature), as transformers' processors do (bark-spec 4.2): ids outside the
// allowed ranges are out; the end of sequence is taken if it is likelier than min_eos_p; else greedy (the first of equals), or
// temperature, top-k (ties at the threshold stay), top-p and a draw by Gumbel-max (random.wgsl).
// One workgroup a row; all lanes call and return the same id. A GPU has one row to pick from while all else waits, so time is
// latency: the largest, the sum for the end of sequence and the draw come out of one pass; a lane takes four neighbouring ids at a
// time, whose loads do not wait for each other and which share one Philox, and loads the next four meanwhile.
// Control flow around a barrier depends on uniforms alone, as WGSL demands.
struct Params {
  rows: u32,
  vocabulary: u32,      // row stride of logits
  start0: u32, end0: u32, start1: u32, end1: u32,   // allowed ids: [start0, end0) and [start1, end1)
  eos: u32,             // read only if min_eos_p is on, and by sample_step; 0xffffffff: none
  pad: u32,             // what a finished row emits
  min_eos_p: f32,       // 0: off
  temperature: f32,
  top_k: u32,           // 0: off
  top_p: f32,           // >= 1: off
  seed_low: u32, seed_high: u32,
  stage: u32,           // keeps the draws of different stages apart
  draw_rows: u32,       // so many rows are one run; the rows of each run draw as if it were alone
  first: u32, stride: u32,   // where results go; see the main files
}

// Lanes of the workgroup: a multiple of 16, at most 256. Arrays have room for 256, since Naga refuses an array whose length
// is an override.
override lanes: u32;
// Whether to take the largest, and whether top-k or top-p filters draws. Overrides, because SwiftShader also runs the branches
// that no lane takes.
override greedy: bool;
override filters: bool;
const most_lanes = 256u;
const lowest = -3.4028234e38;

// The ids seen so far, summed up.
struct Found {
  most: f32,   // the largest score
  id: u32,     // the first id that has it
  mass: f32,   // sum of exp(logit - logit of the end of sequence): 1 / its probability once all ids are in
}
var<workgroup> found: array<Found, most_lanes>;

fn merged(a: Found, b: Found) -> Found {
  let second = b.most > a.most || (b.most == a.most && b.id < a.id);
  return Found(select(a.most, b.most, second), select(a.id, b.id, second), a.mass + b.mass);
}

// Over all lanes, in two levels of 16. Loops over lanes start at one that Mesa does not know: unrolled, their loads, each a
// hundred instructions there, take lavapipe seconds to compile.
fn found_by_all(local: u32, own: Found) -> Found {
  found[local] = own;
  workgroupBarrier();
  var all = own;
  if (local % 16u == 0u) {
    for (var i = local + 1u; i < local + 16u; i++) { all = merged(all, found[i]); }
    found[local] = all;
  }
  workgroupBarrier();
  all = found[0];
  for (var i = 16u; i < lanes; i += 16u) { all = merged(all, found[i]); }
  workgroupBarrier();
  return all;
}

fn allowed(ids: vec4<u32>) -> vec4<bool> {
  let first = (ids >= vec4<u32>(params.start0)) & (ids < vec4<u32>(params.end0));
  let second = (ids >= vec4<u32>(params.start1)) & (ids < vec4<u32>(params.end1));
  return first | second;
}

// The first allowed id and one past the last.
fn span() -> vec2<u32> {
  let second = params.end1 > params.start1;
  return vec2<u32>(
    select(params.start0, min(params.start0, params.start1), second),
    select(params.end0, max(params.end0, params.end1), second),
  );
}

// Quads are counted from id 0, so the first and the last may hold ids that are not allowed, or of the next row.
fn quad_ids(quad: u32) -> vec4<u32> { return quad * 4u + vec4<u32>(0u, 1u, 2u, 3u); }

fn quad_logits(logits_row: u32, quad: u32) -> vec4<f32> {
  let first = logits_row + quad * 4u;
  return vec4<f32>(logits[first], logits[first + 1u], logits[first + 2u], logits[first + 3u]);
}

// Keys that order as the floats do (no NaN): flips all bits of negatives, the sign of the others. -0 ties with 0.
// Floats have keys above 0.
fn order(values: vec4<f32>) -> vec4<u32> {
  let bits = bitcast<vec4<u32>>(select(values, vec4<f32>(), values == vec4<f32>()));
  let sign = vec4<u32>(0x80000000u);
  return select(bits | sign, ~bits, (bits & sign) != vec4<u32>());
}

// What this lane finds in its quads. Scores are the logits or, if `drawn`, logits / temperature with noise, of the ids whose
// key is at least `key`. The mass needs neither the maximum nor a second pass for it: where exp would overflow, the
// end of sequence is far below any threshold.
fn walk(local: u32, row: u32, logits_row: u32, step: u32, drawn: bool, key: u32) -> Found {
  let ids = span();
  let sums = params.min_eos_p > 0.0;
  var eos_logit = 0.0;
  if (sums) { eos_logit = logits[logits_row + params.eos]; }
  // An id that is allowed, whatever the logits are.
  var own = Found(lowest, ids.x, 0.0);
  let first = ids.x / 4u + local;
  var next = quad_logits(logits_row, first);
  for (var quad = first; quad * 4u < ids.y; quad += lanes) {
    let values = next;
    next = quad_logits(logits_row, quad + lanes);
    var kept = allowed(quad_ids(quad));
    if (sums) {
      let shares = exp(min(values - eos_logit, vec4<f32>(75.0)));
      own.mass += dot(select(vec4<f32>(), shares, kept), vec4<f32>(1.0));
    }
    var scores = values;
    if (drawn) {
      scores = values / params.temperature;
      kept = kept & (order(scores) >= vec4<u32>(key));
      if (!any(kept)) { continue; }
      let counter = vec4<u32>(quad, step, row % params.draw_rows, params.stage);
      scores -= log_exponential(philox(counter, vec2<u32>(params.seed_low, params.seed_high)));
    }
    scores = select(vec4<f32>(lowest), scores, kept);
    let most = max(max(scores.x, scores.y), max(scores.z, scores.w));
    if (most > own.most) {
      own.most = most;
      own.id = quad * 4u + select(select(select(3u, 2u, scores.z == most), 1u, scores.y == most), 0u, scores.x == most);
    }
  }
  return own;
}

var<workgroup> partial: array<array<f32, 8>, most_lanes>;
var<workgroup> partial_of_eight: array<array<f32, 8>, most_lanes / 8u>;
var<workgroup> totals: array<f32, 8>;

// Eight sums over all lanes into `totals`, in levels of eight lanes and the rest. A lane adds up one of the sums.
fn total(local: u32, own: mat2x4<f32>) {
  var sums = own;
  for (var i = 0u; i < 8u; i++) { partial[local][i] = sums[i / 4u][i % 4u]; }
  workgroupBarrier();
  let which = local % 8u;
  let eight = local / 8u;
  var sum = 0.0;
  for (var i = eight * 8u; i < eight * 8u + 8u; i++) { sum += partial[i][which]; }
  partial_of_eight[eight][which] = sum;
  workgroupBarrier();
  if (local < 8u) {
    sum = 0.0;
    for (var i = eight; i < lanes / 8u; i++) { sum += partial_of_eight[i][local]; }
    totals[local] = sum;
  }
  workgroupBarrier();
}

// `weight` where the key reaches each of eight candidates, `step` apart.
fn reached(key: u32, weight: f32, first: u32, step: u32) -> mat2x4<f32> {
  let candidates = first + step * vec4<u32>(0u, 1u, 2u, 3u);
  let keys = vec4<u32>(key);
  let weights = vec4<f32>(weight);
  return mat2x4<f32>(
    select(vec4<f32>(), weights, keys >= candidates),
    select(vec4<f32>(), weights, keys >= candidates + step * 4u),
  );
}

// The threshold key of top-k and then of top-p; ids below it are out. It is the largest key at or above which enough lies:
// top_k ids, or top_p of the mass exp(score - maximum) that top-k left. A search takes three bits at a time from the top, by the
// sums at eight candidates: eleven passes over the row instead of a sort. The last pass has two bits left; candidates beyond
// them never have enough. One loop serves both filters, since a compiler copies a function into each call.
fn filter_key(local: u32, logits_row: u32, maximum: f32) -> u32 {
  let ids = span();
  var kept = 0u;
  for (var filter_index = 0u; filter_index < 2u; filter_index++) {
    let by_mass = filter_index == 1u;
    if (select(params.top_k == 0u, params.top_p >= 1.0, by_mass)) { continue; }
    var enough = f32(params.top_k);
    var key = 0u;
    for (var shift = 29; shift > -3; shift -= 3) {
      let step = 1u << u32(max(shift, 0));
      var sums = mat2x4<f32>();
      for (var quad = ids.x / 4u + local; quad * 4u < ids.y; quad += lanes) {
        let scores = quad_logits(logits_row, quad) / params.temperature;
        let keys = order(scores);
        let counted = allowed(quad_ids(quad)) & (keys >= vec4<u32>(max(key, kept)));
        if (!any(counted)) { continue; }
        let weights = select(vec4<f32>(), select(vec4<f32>(1.0), exp(scores - maximum), by_mass), counted);
        sums += reached(keys.x, weights.x, key, step);
        sums += reached(keys.y, weights.y, key, step);
        sums += reached(keys.z, weights.z, key, step);
        sums += reached(keys.w, weights.w, key, step);
      }
      total(local, sums);
      // Everything reaches the very first candidate, 0.
      if (by_mass && shift == 29) { enough = params.top_p * totals[0]; }
      for (var i = 1u; i < 8u; i++) { key += select(0u, step, totals[i] >= enough); }
    }
    kept = max(kept, key);
  }
  return kept;
}

fn select_id(local: u32, row: u32, logits_row: u32, step: u32) -> u32 {
  var best: Found;
  var forced = false;
  var key = 0u;
  // A filtered draw needs the largest first. A loop, since a compiler copies a function into each call, and one whose end Mesa
  // does not know, or it would unroll it.
  let turns = 1u + u32(filters && (params.top_k != 0u || params.top_p < 1.0));
  for (var turn = 0u; turn < turns; turn++) {
    best = found_by_all(local, walk(local, row, logits_row, step, !greedy && (!filters || turn == 1u), key));
    if (turn == 0u) {
      forced = params.min_eos_p > 0.0 && best.mass * params.min_eos_p < 1.0;
      if (filters) { key = filter_key(local, logits_row, best.most / params.temperature); }
    }
  }
  return select(best.id, params.eos, forced);
}
