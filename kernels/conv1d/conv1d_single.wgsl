// y[t] = bias + sum_{j, i} x[t + j - padding_left, i] * W[j, i] (then y +=, then ELU): one output channel, up to seven taps, no
// stride and no dilation, as at the end of EnCodec's decoder, for software adapters (rows.wgsl: layouts, padding).
// One invocation owns 16 neighbouring frames and loads the 22 rows that they see once, not once a tap: such adapters load
// lane by lane, which costs many times what a product does.
// x: [length, inner/4] of vec4.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn load(row: Row, block: u32) -> vec4<f32> { return row.counts * x[row.first / 4u + block]; }

// Four weights of a tap; zero behind the last.
fn weights(tap: u32, block: u32) -> vec4<f32> {
  let first = min(tap, params.taps - 1u) * params.inner + block * 4u;
  let w = vec4<f32>(
    unpack_weight(weight[first]).x, unpack_weight(weight[first + 1u]).x,
    unpack_weight(weight[first + 2u]).x, unpack_weight(weight[first + 3u]).x);
  return select(vec4<f32>(), w, tap < params.taps);
}

// The four sums of a frame, one for every fourth channel, meet here.
fn finish(frame: u32, first: f32, sums: vec4<f32>) {
  let index = frame - params.skip; // Wraps around, past `size`, for what is skipped.
  if (frame >= params.frames || index >= params.size) { return; }
  var value = first + (sums.x + sums.y) + (sums.z + sums.w);
  if (params.accumulate != 0u) { value += y[index]; }
  if (params.elu != 0u) { value = elu(value); }
  y[index] = value;
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let frame = ((workgroup.y * workgroups.x + workgroup.x) * 8u + local) * 16u;
  let last = params.frames + params.taps - 2u;
  let r0 = row_at(min(frame, last)); let r1 = row_at(min(frame + 1u, last));
  let r2 = row_at(min(frame + 2u, last)); let r3 = row_at(min(frame + 3u, last));
  let r4 = row_at(min(frame + 4u, last)); let r5 = row_at(min(frame + 5u, last));
  let r6 = row_at(min(frame + 6u, last)); let r7 = row_at(min(frame + 7u, last));
  let r8 = row_at(min(frame + 8u, last)); let r9 = row_at(min(frame + 9u, last));
  let r10 = row_at(min(frame + 10u, last)); let r11 = row_at(min(frame + 11u, last));
  let r12 = row_at(min(frame + 12u, last)); let r13 = row_at(min(frame + 13u, last));
  let r14 = row_at(min(frame + 14u, last)); let r15 = row_at(min(frame + 15u, last));
  let r16 = row_at(min(frame + 16u, last)); let r17 = row_at(min(frame + 17u, last));
  let r18 = row_at(min(frame + 18u, last)); let r19 = row_at(min(frame + 19u, last));
  let r20 = row_at(min(frame + 20u, last)); let r21 = row_at(min(frame + 21u, last));
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
  var s4 = vec4<f32>(); var s5 = vec4<f32>(); var s6 = vec4<f32>(); var s7 = vec4<f32>();
  var s8 = vec4<f32>(); var s9 = vec4<f32>(); var s10 = vec4<f32>(); var s11 = vec4<f32>();
  var s12 = vec4<f32>(); var s13 = vec4<f32>(); var s14 = vec4<f32>(); var s15 = vec4<f32>();
  var b = 0.0;
  if (params.has_bias != 0u) { b = bias[0]; }
  for (var i = 0u; i < params.inner / 4u; i++) {
    let w0 = weights(0u, i); let w1 = weights(1u, i); let w2 = weights(2u, i); let w3 = weights(3u, i);
    let w4 = weights(4u, i); let w5 = weights(5u, i); let w6 = weights(6u, i);
    let v0 = load(r0, i); let v1 = load(r1, i); let v2 = load(r2, i); let v3 = load(r3, i);
    let v4 = load(r4, i); let v5 = load(r5, i); let v6 = load(r6, i); let v7 = load(r7, i);
    let v8 = load(r8, i); let v9 = load(r9, i); let v10 = load(r10, i); let v11 = load(r11, i);
    let v12 = load(r12, i); let v13 = load(r13, i); let v14 = load(r14, i); let v15 = load(r15, i);
    let v16 = load(r16, i); let v17 = load(r17, i); let v18 = load(r18, i); let v19 = load(r19, i);
    let v20 = load(r20, i); let v21 = load(r21, i);
    s0 += v0 * w0 + v1 * w1 + v2 * w2 + v3 * w3 + v4 * w4 + v5 * w5 + v6 * w6;
    s1 += v1 * w0 + v2 * w1 + v3 * w2 + v4 * w3 + v5 * w4 + v6 * w5 + v7 * w6;
    s2 += v2 * w0 + v3 * w1 + v4 * w2 + v5 * w3 + v6 * w4 + v7 * w5 + v8 * w6;
    s3 += v3 * w0 + v4 * w1 + v5 * w2 + v6 * w3 + v7 * w4 + v8 * w5 + v9 * w6;
    s4 += v4 * w0 + v5 * w1 + v6 * w2 + v7 * w3 + v8 * w4 + v9 * w5 + v10 * w6;
    s5 += v5 * w0 + v6 * w1 + v7 * w2 + v8 * w3 + v9 * w4 + v10 * w5 + v11 * w6;
    s6 += v6 * w0 + v7 * w1 + v8 * w2 + v9 * w3 + v10 * w4 + v11 * w5 + v12 * w6;
    s7 += v7 * w0 + v8 * w1 + v9 * w2 + v10 * w3 + v11 * w4 + v12 * w5 + v13 * w6;
    s8 += v8 * w0 + v9 * w1 + v10 * w2 + v11 * w3 + v12 * w4 + v13 * w5 + v14 * w6;
    s9 += v9 * w0 + v10 * w1 + v11 * w2 + v12 * w3 + v13 * w4 + v14 * w5 + v15 * w6;
    s10 += v10 * w0 + v11 * w1 + v12 * w2 + v13 * w3 + v14 * w4 + v15 * w5 + v16 * w6;
    s11 += v11 * w0 + v12 * w1 + v13 * w2 + v14 * w3 + v15 * w4 + v16 * w5 + v17 * w6;
    s12 += v12 * w0 + v13 * w1 + v14 * w2 + v15 * w3 + v16 * w4 + v17 * w5 + v18 * w6;
    s13 += v13 * w0 + v14 * w1 + v15 * w2 + v16 * w3 + v17 * w4 + v18 * w5 + v19 * w6;
    s14 += v14 * w0 + v15 * w1 + v16 * w2 + v17 * w3 + v18 * w4 + v19 * w5 + v20 * w6;
    s15 += v15 * w0 + v16 * w1 + v17 * w2 + v18 * w3 + v19 * w4 + v20 * w5 + v21 * w6;
  }
  finish(frame, b, s0);
  finish(frame + 1u, b, s1);
  finish(frame + 2u, b, s2);
  finish(frame + 3u, b, s3);
  finish(frame + 4u, b, s4);
  finish(frame + 5u, b, s5);
  finish(frame + 6u, b, s6);
  finish(frame + 7u, b, s7);
  finish(frame + 8u, b, s8);
  finish(frame + 9u, b, s9);
  finish(frame + 10u, b, s10);
  finish(frame + 11u, b, s11);
  finish(frame + 12u, b, s12);
  finish(frame + 13u, b, s13);
  finish(frame + 14u, b, s14);
  finish(frame + 15u, b, s15);
}
