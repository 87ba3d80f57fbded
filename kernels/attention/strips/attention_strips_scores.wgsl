// scores[h, i, j] = q[i, h] . k[j, h] * scale: the first kernel of attention by strips (strips.wgsl).
// For software adapters without subgroups of eight lanes; the three kernels take half the time of attention_query.wgsl. Register
// tile without workgroup memory: an invocation owns 8 queries by 4 keys. Such adapters pay some twenty cycles for a load, and
// here 12 loads of four values feed 128 products. All invocations of a workgroup read q at one address.
// Layout: q [queries, q_stride/4] of vec4, row 0 at element q_first
//   k [keys, k_stride/4] of vec4, row 0 at element k_first
//   scores: strips.wgsl
// Rows and keys past the end repeat the last; only the stores of rows are guarded.
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> scores: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let key = (workgroup.x * 16u + local) * 4u;
  if (key >= params.keys) { return; }
  let row = workgroup.y * 8u;
  let head = workgroup.z;
  let quads = params.head_dim / 4u;
  let last_row = params.queries - 1u;
  let last_key = params.keys - 1u;
  let q_stride = params.q_stride / 4u;
  let k_stride = params.k_stride / 4u;
  let q_head = params.q_first / 4u + head * quads;
  let k_head = params.k_first / 4u + head * quads;
  let q0 = q_head + row * q_stride;
  let q1 = q_head + min(row + 1u, last_row) * q_stride;
  let q2 = q_head + min(row + 2u, last_row) * q_stride;
  let q3 = q_head + min(row + 3u, last_row) * q_stride;
  let q4 = q_head + min(row + 4u, last_row) * q_stride;
  let q5 = q_head + min(row + 5u, last_row) * q_stride;
  let q6 = q_head + min(row + 6u, last_row) * q_stride;
  let q7 = q_head + min(row + 7u, last_row) * q_stride;
  let k0 = k_head + key * k_stride;
  let k1 = k_head + min(key + 1u, last_key) * k_stride;
  let k2 = k_head + min(key + 2u, last_key) * k_stride;
  let k3 = k_head + min(key + 3u, last_key) * k_stride;
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
  var s4 = vec4<f32>(); var s5 = vec4<f32>(); var s6 = vec4<f32>(); var s7 = vec4<f32>();
  for (var d = 0u; d < quads; d++) {
    let a0 = q[q0 + d]; let a1 = q[q1 + d]; let a2 = q[q2 + d]; let a3 = q[q3 + d];
    let a4 = q[q4 + d]; let a5 = q[q5 + d]; let a6 = q[q6 + d]; let a7 = q[q7 + d];
    // Vector times matrix: one dot product with each of the four keys.
    let four = mat4x4<f32>(k[k0 + d], k[k1 + d], k[k2 + d], k[k3 + d]);
    s0 += a0 * four; s1 += a1 * four; s2 += a2 * four; s3 += a3 * four;
    s4 += a4 * four; s5 += a5 * four; s6 += a6 * four; s7 += a7 * four;
  }
  let stride = row_quads();
  let first = (head * params.queries + row) * stride + key / 4u;
  scores[first] = s0 * params.scale;
  if (row + 1u < params.queries) { scores[first + stride] = s1 * params.scale; }
  if (row + 2u < params.queries) { scores[first + 2u * stride] = s2 * params.scale; }
  if (row + 3u < params.queries) { scores[first + 3u * stride] = s3 * params.scale; }
  if (row + 4u < params.queries) { scores[first + 4u * stride] = s4 * params.scale; }
  if (row + 5u < params.queries) { scores[first + 5u * stride] = s5 * params.scale; }
  if (row + 6u < params.queries) { scores[first + 6u * stride] = s6 * params.scale; }
  if (row + 7u < params.queries) { scores[first + 7u * stride] = s7 * params.scale; }
}
