// y[i, h] = sum_j softmax_j(q[i, h] . k[j, h] * scale) v[j, h], unrolled: sQG = query 8 Q + lane, keys 4 G..; yQD = its quad D.
// For lavapipe with subgroups of eight lanes: a subgroup owns 32 queries and takes 32 keys at a time, scores stay in registers.
// lavapipe loads lane by lane, so one lane loads each value of K and V and broadcasts it: 7 times as fast as attention_query.wgsl.
// Layout: q [queries, q_stride/4], k [keys, k_stride/4], v [keys, v_stride/4] of vec4, row 0 at element .._first
//   mask [keys], 0 = masked
//   y [queries, heads * head_dim/4] of vec4, query 0 at element y_first; heads past 64 values go by slices of 64
// lavapipe compiles each load and store lane by lane: with mask and results in unrolled code it took 18 s instead of 2 s.
// A key masked once scores half the lowest finite f32, one masked twice or past the end the lowest: beside the former it weighs
// nothing. Lanes past the last query, key or quad repeat the last: a broadcast from a lane that left is undefined.
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> mask: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

const lowest = -3.4028234e38;
const once = 0.5 * lowest;

// The scores of a query with four keys, scaled and masked.
fn masked(scores: vec4<f32>, query: u32, key: u32, given: vec4<u32>) -> vec4<f32> {
  let keys = vec4<u32>(key, key + 1u, key + 2u, key + 3u);
  var hidden = vec4<bool>();
  if (params.causal != 0u) { hidden = keys > vec4<u32>(params.past + query); }
  var score = select(scores * params.scale, vec4<f32>(once), hidden);
  score = select(score, select(vec4<f32>(once), vec4<f32>(lowest), hidden), given == vec4<u32>());
  return select(score, vec4<f32>(lowest), keys >= vec4<u32>(params.keys));
}

fn largest(values: vec4<f32>) -> f32 { return max(max(values.x, values.y), max(values.z, values.w)); }

fn store(query: u32, head: u32, quad: u32, value: vec4<f32>) {
  let quads = params.head_dim / 4u;
  if (query < params.queries && quad < quads) {
    y[params.y_first / 4u + (query * params.heads + head) * quads + quad] = value;
  }
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let lane = subgroup_lane & 7u;
  let head = workgroup.y;
  let first_quad = workgroup.z * 16u;
  let first_query = workgroup.x * 32u;
  let query = first_query + local;
  let quads = params.head_dim / 4u;
  let last_query = params.queries - 1u;
  let last_key = params.keys - 1u;
  let seen = min(params.keys, params.past + min(first_query + 31u, last_query) + 1u);
  let end = select(params.keys, seen, params.causal != 0u && params.has_mask == 0u);
  let q_head = params.q_first / 4u + head * quads;
  let k_head = params.k_first / 4u + head * quads;
  let v_head = params.v_first / 4u + head * quads;
  let q_stride = params.q_stride / 4u;
  let k_stride = params.k_stride / 4u;
  let v_stride = params.v_stride / 4u;
  let q0 = q_head + min(query + 0u, last_query) * q_stride;
  let q1 = q_head + min(query + 8u, last_query) * q_stride;
  let q2 = q_head + min(query + 16u, last_query) * q_stride;
  let q3 = q_head + min(query + 24u, last_query) * q_stride;
  let near = v_head + min(first_quad + lane, quads - 1u);
  let far = v_head + min(first_quad + lane + 8u, quads - 1u);
  var y00 = vec4<f32>(); var y01 = vec4<f32>(); var y02 = vec4<f32>(); var y03 = vec4<f32>(); var y04 = vec4<f32>(); var y05 = vec4<f32>(); var y06 = vec4<f32>(); var y07 = vec4<f32>();
  var y08 = vec4<f32>(); var y09 = vec4<f32>(); var y0a = vec4<f32>(); var y0b = vec4<f32>(); var y0c = vec4<f32>(); var y0d = vec4<f32>(); var y0e = vec4<f32>(); var y0f = vec4<f32>();
  var y10 = vec4<f32>(); var y11 = vec4<f32>(); var y12 = vec4<f32>(); var y13 = vec4<f32>(); var y14 = vec4<f32>(); var y15 = vec4<f32>(); var y16 = vec4<f32>(); var y17 = vec4<f32>();
  var y18 = vec4<f32>(); var y19 = vec4<f32>(); var y1a = vec4<f32>(); var y1b = vec4<f32>(); var y1c = vec4<f32>(); var y1d = vec4<f32>(); var y1e = vec4<f32>(); var y1f = vec4<f32>();
  var y20 = vec4<f32>(); var y21 = vec4<f32>(); var y22 = vec4<f32>(); var y23 = vec4<f32>(); var y24 = vec4<f32>(); var y25 = vec4<f32>(); var y26 = vec4<f32>(); var y27 = vec4<f32>();
  var y28 = vec4<f32>(); var y29 = vec4<f32>(); var y2a = vec4<f32>(); var y2b = vec4<f32>(); var y2c = vec4<f32>(); var y2d = vec4<f32>(); var y2e = vec4<f32>(); var y2f = vec4<f32>();
  var y30 = vec4<f32>(); var y31 = vec4<f32>(); var y32 = vec4<f32>(); var y33 = vec4<f32>(); var y34 = vec4<f32>(); var y35 = vec4<f32>(); var y36 = vec4<f32>(); var y37 = vec4<f32>();
  var y38 = vec4<f32>(); var y39 = vec4<f32>(); var y3a = vec4<f32>(); var y3b = vec4<f32>(); var y3c = vec4<f32>(); var y3d = vec4<f32>(); var y3e = vec4<f32>(); var y3f = vec4<f32>();
  var maximum0 = once; var total0 = vec4<f32>();
  var maximum1 = once; var total1 = vec4<f32>();
  var maximum2 = once; var total2 = vec4<f32>();
  var maximum3 = once; var total3 = vec4<f32>();
  var p: array<vec4<f32>, 32>;
  for (var key = 0u; key < end; key += 32u) {
    var s00 = vec4<f32>(); var s01 = vec4<f32>(); var s02 = vec4<f32>(); var s03 = vec4<f32>(); var s04 = vec4<f32>(); var s05 = vec4<f32>(); var s06 = vec4<f32>(); var s07 = vec4<f32>();
    var s10 = vec4<f32>(); var s11 = vec4<f32>(); var s12 = vec4<f32>(); var s13 = vec4<f32>(); var s14 = vec4<f32>(); var s15 = vec4<f32>(); var s16 = vec4<f32>(); var s17 = vec4<f32>();
    var s20 = vec4<f32>(); var s21 = vec4<f32>(); var s22 = vec4<f32>(); var s23 = vec4<f32>(); var s24 = vec4<f32>(); var s25 = vec4<f32>(); var s26 = vec4<f32>(); var s27 = vec4<f32>();
    var s30 = vec4<f32>(); var s31 = vec4<f32>(); var s32 = vec4<f32>(); var s33 = vec4<f32>(); var s34 = vec4<f32>(); var s35 = vec4<f32>(); var s36 = vec4<f32>(); var s37 = vec4<f32>();
    let k0 = k_head + min(key + 4u * lane + 0u, last_key) * k_stride;
    let k1 = k_head + min(key + 4u * lane + 1u, last_key) * k_stride;
    let k2 = k_head + min(key + 4u * lane + 2u, last_key) * k_stride;
    let k3 = k_head + min(key + 4u * lane + 3u, last_key) * k_stride;
    for (var d = 0u; d < quads; d++) {
      let a0 = q[q0 + d]; let a1 = q[q1 + d]; let a2 = q[q2 + d]; let a3 = q[q3 + d];
      let b0 = k[k0 + d]; let b1 = k[k1 + d]; let b2 = k[k2 + d]; let b3 = k[k3 + d];
      let m0 = mat4x4<f32>(
        subgroupBroadcast(b0, 0u), subgroupBroadcast(b1, 0u), subgroupBroadcast(b2, 0u), subgroupBroadcast(b3, 0u));
      s00 += a0 * m0; s10 += a1 * m0; s20 += a2 * m0; s30 += a3 * m0;
      let m1 = mat4x4<f32>(
        subgroupBroadcast(b0, 1u), subgroupBroadcast(b1, 1u), subgroupBroadcast(b2, 1u), subgroupBroadcast(b3, 1u));
      s01 += a0 * m1; s11 += a1 * m1; s21 += a2 * m1; s31 += a3 * m1;
      let m2 = mat4x4<f32>(
        subgroupBroadcast(b0, 2u), subgroupBroadcast(b1, 2u), subgroupBroadcast(b2, 2u), subgroupBroadcast(b3, 2u));
      s02 += a0 * m2; s12 += a1 * m2; s22 += a2 * m2; s32 += a3 * m2;
      let m3 = mat4x4<f32>(
        subgroupBroadcast(b0, 3u), subgroupBroadcast(b1, 3u), subgroupBroadcast(b2, 3u), subgroupBroadcast(b3, 3u));
      s03 += a0 * m3; s13 += a1 * m3; s23 += a2 * m3; s33 += a3 * m3;
      let m4 = mat4x4<f32>(
        subgroupBroadcast(b0, 4u), subgroupBroadcast(b1, 4u), subgroupBroadcast(b2, 4u), subgroupBroadcast(b3, 4u));
      s04 += a0 * m4; s14 += a1 * m4; s24 += a2 * m4; s34 += a3 * m4;
      let m5 = mat4x4<f32>(
        subgroupBroadcast(b0, 5u), subgroupBroadcast(b1, 5u), subgroupBroadcast(b2, 5u), subgroupBroadcast(b3, 5u));
      s05 += a0 * m5; s15 += a1 * m5; s25 += a2 * m5; s35 += a3 * m5;
      let m6 = mat4x4<f32>(
        subgroupBroadcast(b0, 6u), subgroupBroadcast(b1, 6u), subgroupBroadcast(b2, 6u), subgroupBroadcast(b3, 6u));
      s06 += a0 * m6; s16 += a1 * m6; s26 += a2 * m6; s36 += a3 * m6;
      let m7 = mat4x4<f32>(
        subgroupBroadcast(b0, 7u), subgroupBroadcast(b1, 7u), subgroupBroadcast(b2, 7u), subgroupBroadcast(b3, 7u));
      s07 += a0 * m7; s17 += a1 * m7; s27 += a2 * m7; s37 += a3 * m7;
    }
    var own = vec4<u32>(1u);
    if (params.has_mask != 0u) {
      let first = key + 4u * lane;
      own = vec4<u32>(mask[min(first, last_key)], mask[min(first + 1u, last_key)],
        mask[min(first + 2u, last_key)], mask[min(first + 3u, last_key)]);
    }
    let given0 = subgroupBroadcast(own, 0u);
    s00 = masked(s00, query + 0u, key + 0u, given0); p[0] = s00;
    s10 = masked(s10, query + 8u, key + 0u, given0); p[1] = s10;
    s20 = masked(s20, query + 16u, key + 0u, given0); p[2] = s20;
    s30 = masked(s30, query + 24u, key + 0u, given0); p[3] = s30;
    let given1 = subgroupBroadcast(own, 1u);
    s01 = masked(s01, query + 0u, key + 4u, given1); p[4] = s01;
    s11 = masked(s11, query + 8u, key + 4u, given1); p[5] = s11;
    s21 = masked(s21, query + 16u, key + 4u, given1); p[6] = s21;
    s31 = masked(s31, query + 24u, key + 4u, given1); p[7] = s31;
    let given2 = subgroupBroadcast(own, 2u);
    s02 = masked(s02, query + 0u, key + 8u, given2); p[8] = s02;
    s12 = masked(s12, query + 8u, key + 8u, given2); p[9] = s12;
    s22 = masked(s22, query + 16u, key + 8u, given2); p[10] = s22;
    s32 = masked(s32, query + 24u, key + 8u, given2); p[11] = s32;
    let given3 = subgroupBroadcast(own, 3u);
    s03 = masked(s03, query + 0u, key + 12u, given3); p[12] = s03;
    s13 = masked(s13, query + 8u, key + 12u, given3); p[13] = s13;
    s23 = masked(s23, query + 16u, key + 12u, given3); p[14] = s23;
    s33 = masked(s33, query + 24u, key + 12u, given3); p[15] = s33;
    let given4 = subgroupBroadcast(own, 4u);
    s04 = masked(s04, query + 0u, key + 16u, given4); p[16] = s04;
    s14 = masked(s14, query + 8u, key + 16u, given4); p[17] = s14;
    s24 = masked(s24, query + 16u, key + 16u, given4); p[18] = s24;
    s34 = masked(s34, query + 24u, key + 16u, given4); p[19] = s34;
    let given5 = subgroupBroadcast(own, 5u);
    s05 = masked(s05, query + 0u, key + 20u, given5); p[20] = s05;
    s15 = masked(s15, query + 8u, key + 20u, given5); p[21] = s15;
    s25 = masked(s25, query + 16u, key + 20u, given5); p[22] = s25;
    s35 = masked(s35, query + 24u, key + 20u, given5); p[23] = s35;
    let given6 = subgroupBroadcast(own, 6u);
    s06 = masked(s06, query + 0u, key + 24u, given6); p[24] = s06;
    s16 = masked(s16, query + 8u, key + 24u, given6); p[25] = s16;
    s26 = masked(s26, query + 16u, key + 24u, given6); p[26] = s26;
    s36 = masked(s36, query + 24u, key + 24u, given6); p[27] = s36;
    let given7 = subgroupBroadcast(own, 7u);
    s07 = masked(s07, query + 0u, key + 28u, given7); p[28] = s07;
    s17 = masked(s17, query + 8u, key + 28u, given7); p[29] = s17;
    s27 = masked(s27, query + 16u, key + 28u, given7); p[30] = s27;
    s37 = masked(s37, query + 24u, key + 28u, given7); p[31] = s37;
    let most0 = max(maximum0, largest(max(max(max(max(max(max(max(s00, s01), s02), s03), s04), s05), s06), s07)));
    let most1 = max(maximum1, largest(max(max(max(max(max(max(max(s10, s11), s12), s13), s14), s15), s16), s17)));
    let most2 = max(maximum2, largest(max(max(max(max(max(max(max(s20, s21), s22), s23), s24), s25), s26), s27)));
    let most3 = max(maximum3, largest(max(max(max(max(max(max(max(s30, s31), s32), s33), s34), s35), s36), s37)));
    let correction0 = exp(maximum0 - most0); maximum0 = most0; total0 *= correction0;
    let correction1 = exp(maximum1 - most1); maximum1 = most1; total1 *= correction1;
    let correction2 = exp(maximum2 - most2); maximum2 = most2; total2 *= correction2;
    let correction3 = exp(maximum3 - most3); maximum3 = most3; total3 *= correction3;
    y00 *= correction0; y01 *= correction0; y02 *= correction0; y03 *= correction0; y04 *= correction0; y05 *= correction0; y06 *= correction0; y07 *= correction0;
    y08 *= correction0; y09 *= correction0; y0a *= correction0; y0b *= correction0; y0c *= correction0; y0d *= correction0; y0e *= correction0; y0f *= correction0;
    y10 *= correction1; y11 *= correction1; y12 *= correction1; y13 *= correction1; y14 *= correction1; y15 *= correction1; y16 *= correction1; y17 *= correction1;
    y18 *= correction1; y19 *= correction1; y1a *= correction1; y1b *= correction1; y1c *= correction1; y1d *= correction1; y1e *= correction1; y1f *= correction1;
    y20 *= correction2; y21 *= correction2; y22 *= correction2; y23 *= correction2; y24 *= correction2; y25 *= correction2; y26 *= correction2; y27 *= correction2;
    y28 *= correction2; y29 *= correction2; y2a *= correction2; y2b *= correction2; y2c *= correction2; y2d *= correction2; y2e *= correction2; y2f *= correction2;
    y30 *= correction3; y31 *= correction3; y32 *= correction3; y33 *= correction3; y34 *= correction3; y35 *= correction3; y36 *= correction3; y37 *= correction3;
    y38 *= correction3; y39 *= correction3; y3a *= correction3; y3b *= correction3; y3c *= correction3; y3d *= correction3; y3e *= correction3; y3f *= correction3;
    let groups = min(8u, (end - key + 3u) / 4u);
    for (var g = 0u; g < groups; g++) {
      let p0 = exp(p[4u * g + 0u] - maximum0); total0 += p0;
      let p1 = exp(p[4u * g + 1u] - maximum1); total1 += p1;
      let p2 = exp(p[4u * g + 2u] - maximum2); total2 += p2;
      let p3 = exp(p[4u * g + 3u] - maximum3); total3 += p3;
      let row0 = min(key + 4u * g + 0u, last_key) * v_stride;
      let row1 = min(key + 4u * g + 1u, last_key) * v_stride;
      let row2 = min(key + 4u * g + 2u, last_key) * v_stride;
      let row3 = min(key + 4u * g + 3u, last_key) * v_stride;
      let near0 = v[near + row0]; let near1 = v[near + row1]; let near2 = v[near + row2]; let near3 = v[near + row3];
      let m0 = mat4x4<f32>(
        subgroupBroadcast(near0, 0u), subgroupBroadcast(near1, 0u), subgroupBroadcast(near2, 0u), subgroupBroadcast(near3, 0u));
      y00 += m0 * p0; y10 += m0 * p1; y20 += m0 * p2; y30 += m0 * p3;
      let m1 = mat4x4<f32>(
        subgroupBroadcast(near0, 1u), subgroupBroadcast(near1, 1u), subgroupBroadcast(near2, 1u), subgroupBroadcast(near3, 1u));
      y01 += m1 * p0; y11 += m1 * p1; y21 += m1 * p2; y31 += m1 * p3;
      let m2 = mat4x4<f32>(
        subgroupBroadcast(near0, 2u), subgroupBroadcast(near1, 2u), subgroupBroadcast(near2, 2u), subgroupBroadcast(near3, 2u));
      y02 += m2 * p0; y12 += m2 * p1; y22 += m2 * p2; y32 += m2 * p3;
      let m3 = mat4x4<f32>(
        subgroupBroadcast(near0, 3u), subgroupBroadcast(near1, 3u), subgroupBroadcast(near2, 3u), subgroupBroadcast(near3, 3u));
      y03 += m3 * p0; y13 += m3 * p1; y23 += m3 * p2; y33 += m3 * p3;
      let m4 = mat4x4<f32>(
        subgroupBroadcast(near0, 4u), subgroupBroadcast(near1, 4u), subgroupBroadcast(near2, 4u), subgroupBroadcast(near3, 4u));
      y04 += m4 * p0; y14 += m4 * p1; y24 += m4 * p2; y34 += m4 * p3;
      let m5 = mat4x4<f32>(
        subgroupBroadcast(near0, 5u), subgroupBroadcast(near1, 5u), subgroupBroadcast(near2, 5u), subgroupBroadcast(near3, 5u));
      y05 += m5 * p0; y15 += m5 * p1; y25 += m5 * p2; y35 += m5 * p3;
      let m6 = mat4x4<f32>(
        subgroupBroadcast(near0, 6u), subgroupBroadcast(near1, 6u), subgroupBroadcast(near2, 6u), subgroupBroadcast(near3, 6u));
      y06 += m6 * p0; y16 += m6 * p1; y26 += m6 * p2; y36 += m6 * p3;
      let m7 = mat4x4<f32>(
        subgroupBroadcast(near0, 7u), subgroupBroadcast(near1, 7u), subgroupBroadcast(near2, 7u), subgroupBroadcast(near3, 7u));
      y07 += m7 * p0; y17 += m7 * p1; y27 += m7 * p2; y37 += m7 * p3;
      let far0 = v[far + row0]; let far1 = v[far + row1]; let far2 = v[far + row2]; let far3 = v[far + row3];
      let m8 = mat4x4<f32>(
        subgroupBroadcast(far0, 0u), subgroupBroadcast(far1, 0u), subgroupBroadcast(far2, 0u), subgroupBroadcast(far3, 0u));
      y08 += m8 * p0; y18 += m8 * p1; y28 += m8 * p2; y38 += m8 * p3;
      let m9 = mat4x4<f32>(
        subgroupBroadcast(far0, 1u), subgroupBroadcast(far1, 1u), subgroupBroadcast(far2, 1u), subgroupBroadcast(far3, 1u));
      y09 += m9 * p0; y19 += m9 * p1; y29 += m9 * p2; y39 += m9 * p3;
      let ma = mat4x4<f32>(
        subgroupBroadcast(far0, 2u), subgroupBroadcast(far1, 2u), subgroupBroadcast(far2, 2u), subgroupBroadcast(far3, 2u));
      y0a += ma * p0; y1a += ma * p1; y2a += ma * p2; y3a += ma * p3;
      let mb = mat4x4<f32>(
        subgroupBroadcast(far0, 3u), subgroupBroadcast(far1, 3u), subgroupBroadcast(far2, 3u), subgroupBroadcast(far3, 3u));
      y0b += mb * p0; y1b += mb * p1; y2b += mb * p2; y3b += mb * p3;
      let mc = mat4x4<f32>(
        subgroupBroadcast(far0, 4u), subgroupBroadcast(far1, 4u), subgroupBroadcast(far2, 4u), subgroupBroadcast(far3, 4u));
      y0c += mc * p0; y1c += mc * p1; y2c += mc * p2; y3c += mc * p3;
      let md = mat4x4<f32>(
        subgroupBroadcast(far0, 5u), subgroupBroadcast(far1, 5u), subgroupBroadcast(far2, 5u), subgroupBroadcast(far3, 5u));
      y0d += md * p0; y1d += md * p1; y2d += md * p2; y3d += md * p3;
      let me = mat4x4<f32>(
        subgroupBroadcast(far0, 6u), subgroupBroadcast(far1, 6u), subgroupBroadcast(far2, 6u), subgroupBroadcast(far3, 6u));
      y0e += me * p0; y1e += me * p1; y2e += me * p2; y3e += me * p3;
      let mf = mat4x4<f32>(
        subgroupBroadcast(far0, 7u), subgroupBroadcast(far1, 7u), subgroupBroadcast(far2, 7u), subgroupBroadcast(far3, 7u));
      y0f += mf * p0; y1f += mf * p1; y2f += mf * p2; y3f += mf * p3;
    }
  }
  let sum0 = total0.x + total0.y + total0.z + total0.w;
  let sum1 = total1.x + total1.y + total1.z + total1.w;
  let sum2 = total2.x + total2.y + total2.z + total2.w;
  let sum3 = total3.x + total3.y + total3.z + total3.w;
  var sums = array<vec4<f32>, 64>(
    y00 / sum0, y01 / sum0, y02 / sum0, y03 / sum0, y04 / sum0, y05 / sum0, y06 / sum0, y07 / sum0, y08 / sum0, y09 / sum0, y0a / sum0, y0b / sum0, y0c / sum0, y0d / sum0, y0e / sum0, y0f / sum0,
    y10 / sum1, y11 / sum1, y12 / sum1, y13 / sum1, y14 / sum1, y15 / sum1, y16 / sum1, y17 / sum1, y18 / sum1, y19 / sum1, y1a / sum1, y1b / sum1, y1c / sum1, y1d / sum1, y1e / sum1, y1f / sum1,
    y20 / sum2, y21 / sum2, y22 / sum2, y23 / sum2, y24 / sum2, y25 / sum2, y26 / sum2, y27 / sum2, y28 / sum2, y29 / sum2, y2a / sum2, y2b / sum2, y2c / sum2, y2d / sum2, y2e / sum2, y2f / sum2,
    y30 / sum3, y31 / sum3, y32 / sum3, y33 / sum3, y34 / sum3, y35 / sum3, y36 / sum3, y37 / sum3, y38 / sum3, y39 / sum3, y3a / sum3, y3b / sum3, y3c / sum3, y3d / sum3, y3e / sum3, y3f / sum3,
  );
  for (var i = 0u; i < 64u; i++) { store(query + i / 16u * 8u, head, first_quad + i % 16u, sums[i]); }
}
