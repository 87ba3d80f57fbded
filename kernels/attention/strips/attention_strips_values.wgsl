// y[i, h] = sum_j w[h, i, j] v[j, h] / sum_j w[h, i, j]: the last kernel of attention by strips (strips.wgsl).
// Register tile as in attention_strips_scores.wgsl: an invocation owns 8 queries by four neighbouring values and takes four
// keys at a time. All invocations of a workgroup read the weights at one address.
// Layout: weights: what attention_strips_softmax.wgsl left in scores (strips.wgsl)
//   v [keys, v_stride/4] of vec4, row 0 at element v_first
//   y [queries, heads * head_dim/4] of vec4, query 0 at element y_first
// Keys past the end weigh nothing and repeat the last, so that the inner loop tests nothing.
@group(0) @binding(0) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let quads = params.head_dim / 4u;
  let d = workgroup.x * 16u + local;
  if (d >= quads) { return; }
  let row = workgroup.y * 8u;
  let head = workgroup.z;
  let last_row = params.queries - 1u;
  let last_key = params.keys - 1u;
  let v_stride = params.v_stride / 4u;
  let v_head = params.v_first / 4u + head * quads + d;
  let stride = row_quads();
  let w_head = head * params.queries * stride;
  let w0 = w_head + row * stride;
  let w1 = w_head + min(row + 1u, last_row) * stride;
  let w2 = w_head + min(row + 2u, last_row) * stride;
  let w3 = w_head + min(row + 3u, last_row) * stride;
  let w4 = w_head + min(row + 4u, last_row) * stride;
  let w5 = w_head + min(row + 5u, last_row) * stride;
  let w6 = w_head + min(row + 6u, last_row) * stride;
  let w7 = w_head + min(row + 7u, last_row) * stride;
  var y0 = vec4<f32>(); var y1 = vec4<f32>(); var y2 = vec4<f32>(); var y3 = vec4<f32>();
  var y4 = vec4<f32>(); var y5 = vec4<f32>(); var y6 = vec4<f32>(); var y7 = vec4<f32>();
  for (var i = 0u; i < stride - 1u; i++) {
    let key = 4u * i;
    let four = mat4x4<f32>(
      v[v_head + key * v_stride],
      v[v_head + min(key + 1u, last_key) * v_stride],
      v[v_head + min(key + 2u, last_key) * v_stride],
      v[v_head + min(key + 3u, last_key) * v_stride],
    );
    y0 += four * weights[w0 + i]; y1 += four * weights[w1 + i];
    y2 += four * weights[w2 + i]; y3 += four * weights[w3 + i];
    y4 += four * weights[w4 + i]; y5 += four * weights[w5 + i];
    y6 += four * weights[w6 + i]; y7 += four * weights[w7 + i];
  }
  var sums = array<vec4<f32>, 8>(y0, y1, y2, y3, y4, y5, y6, y7);
  let rows = min(8u, params.queries - row);
  for (var i = 0u; i < rows; i++) {
    let total = weights[w_head + (row + i) * stride + stride - 1u].x;
    y[params.y_first / 4u + ((row + i) * params.heads + head) * quads + d] = sums[i] / total;
  }
}
